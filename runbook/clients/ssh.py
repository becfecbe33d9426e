"""Another machine over SSH: commands and files. Its key is always checked, and nobody is asked anything."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fabric
from invoke.exceptions import CommandTimedOut, ThreadException
from paramiko import ChannelException, SFTPClient
from paramiko.common import OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

from runbook.clients import ssh_files
from runbook.clients.ssh_errors import forbidden, lost, place_of, ssh_errors, unreached, unwritten
from runbook.clients.ssh_host_keys import demand_known_key
from runbook.clients.ssh_patience import CONNECT_SECONDS, KEEP_ALIVE_SECONDS
from runbook.config.ssh import SshLogin
from runbook.engine.errors import PassingError

SILENT_SECONDS: Final = 30.0
"""Without an answer for so long a connection counts as lost."""

# paramiko writes tracebacks of lost connections to its log; the error that it raises says the same.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Answer:
    """How a command ended there.

    Args:
        code: its exit code.
        out: what it printed.
        error: what it printed as errors.
    """

    code: int
    out: str
    error: str


class SshHost:
    """One host; connected when first used, and again after it was closed.

    Args:
        ssh: who and where.
    """

    def __init__(self, ssh: SshLogin) -> None:
        self._ssh = ssh
        self._opened: fabric.Connection | None = None
        self.place = place_of(ssh)

    def run(self, command: Sequence[str], limit_s: float = SILENT_SECONDS) -> Answer:
        """Run a command; its words pass the login's shell as they are.

        Raises:
            PassingError: the connection broke, or the command took longer.
            RunbookError: the host refused.
        """
        with self._connected() as connection:
            try:
                done = connection.run(
                    shlex.join(command),
                    hide=True,
                    warn=True,
                    in_stream=False,
                    timeout=limit_s,
                    encoding="utf-8",
                )
            except CommandTimedOut as error:
                message = f"{command[0]} did not end in {limit_s:g} s"
                raise PassingError(message, place=self.place) from error
            except ThreadException as error:
                raise lost(self.place) from error
        if done.exited < 0:
            raise lost(self.place)
        return Answer(done.exited, done.stdout, done.stderr)

    def reaches(self, host: str, port: int) -> None:
        """See whether it can connect to another host.

        Raises:
            RefusedError: it may not.
            PassingError: nothing answers there.
        """
        with self._connected() as connection:
            try:
                channel = connection.transport.open_channel(
                    "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=SILENT_SECONDS
                )
            except ChannelException as error:
                if error.code == OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED:
                    raise forbidden(self.place, host, port) from error
                raise unreached(self.place, host, port, error.text) from error
            channel.close()

    def put(self, path: str, content: bytes) -> None:
        """Write a file that nobody else may read (0600); it appears whole, in place of what was there.

        Raises:
            FailedError: it cannot be written there.
        """
        with self._sftp() as files, unwritten(self.place, path, files.get_channel()):
            ssh_files.put(files, path, content)

    def make_folder(self, path: str) -> None:
        """Make a folder with those above it; what is made is the login's own (0700).

        Raises:
            FailedError: it cannot be made there.
        """
        with self._sftp() as files, unwritten(self.place, path, files.get_channel()):
            ssh_files.make_folder(files, path)

    def has(self, path: str) -> bool:
        """Tell whether a file or folder is there."""
        with self._sftp() as files:
            return ssh_files.has(files, path)

    def read(self, path: str, start: int) -> bytes:
        """Read on in a file from a position, a part at a time; nothing where it is gone or has no more."""
        with self._sftp() as files:
            return ssh_files.read(files, path, start)

    def close(self) -> None:
        """Close the connection, with those to the hosts on the way."""
        connection, self._opened = self._opened, None
        while isinstance(connection, fabric.Connection):
            connection.close()
            connection.client.close()
            connection = connection.gateway

    @contextmanager
    def _connected(self) -> Iterator[fabric.Connection]:
        with ssh_errors(self.place, self._ssh):
            if self._opened is not None and not self._opened.is_connected:
                self.close()
                raise lost(self.place)
            if self._opened is None:
                self._opened = _connection(self._ssh)
                try:
                    self._opened.open()
                except BaseException:
                    self.close()
                    raise
                self._opened.transport.set_keepalive(KEEP_ALIVE_SECONDS)
            yield self._opened

    @contextmanager
    def _sftp(self) -> Iterator[SFTPClient]:
        with self._connected() as connection:
            files = connection.sftp()
            files.get_channel().settimeout(SILENT_SECONDS)
            yield files


def _connection(ssh: SshLogin) -> fabric.Connection:
    """Prepare a connection by ~/.ssh/config and the variables; fabric's own files are not read (lazy)."""
    logins = {
        "look_for_keys": ssh.key_file is None,
        "banner_timeout": SILENT_SECONDS,
        "auth_timeout": SILENT_SECONDS,
        "channel_timeout": SILENT_SECONDS,
        **({"key_filename": [str(Path(ssh.key_file).expanduser())]} if ssh.key_file else {}),
    }
    config = fabric.Config(
        overrides={"connect_kwargs": logins, "timeouts": {"connect": CONNECT_SECONDS}}, lazy=True
    )
    config.load_ssh_config()
    made = connection = fabric.Connection(ssh.host, user=ssh.user, port=ssh.port, config=config)
    while isinstance(connection, fabric.Connection):  # the hosts on the way (ProxyJump) are checked too
        demand_known_key(connection.client, ssh)
        connection = connection.gateway
    return made
