"""One run of `ssh -L`: started, listened to, and ended with this program whatever ends it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Final

from runbook.clients import ssh_guard
from runbook.clients.ssh_patience import CONNECT_SECONDS, KEEP_ALIVE_SECONDS
from runbook.config.ssh import SshLogin

LINES_KEPT: Final = 40
ENDING_SECONDS: Final = 5.0
_UNASKED: Final = {
    "BatchMode": "yes",
    "ConnectTimeout": str(CONNECT_SECONDS),
    "ServerAliveInterval": str(KEEP_ALIVE_SECONDS),
    "ServerAliveCountMax": "2",
    "ControlMaster": "no",
    "ControlPath": "none",  # a master of the operator's own would take the forward, and keep it
    "RemoteCommand": "none",
    "LogLevel": "INFO",
}
"""What a program needs that a person at a terminal does not."""


def by_hand(ssh: SshLogin, local_port: int, host: str, port: int) -> list[str]:
    """Write the command that a person would type.

    Args:
        ssh: the host in between.
        local_port: to listen on.
        host: where the port leads to, seen from there.
        port: of that host.
    """
    target = f"[{host}]" if ":" in host else host
    return [
        *("ssh", "-N", "-L", f"127.0.0.1:{local_port}:{target}:{port}"),
        *("-o", "ExitOnForwardFailure=yes", "-o", "StrictHostKeyChecking=yes"),
        *(["-o", f'UserKnownHostsFile="{Path(ssh.known_hosts).expanduser()}"'] if ssh.known_hosts else []),
        *(["-i", str(Path(ssh.key_file).expanduser()), "-o", "IdentitiesOnly=yes"] if ssh.key_file else []),
        *(["-p", str(ssh.port)] if ssh.port else []),
        *(["-l", ssh.user] if ssh.user else []),
        ssh.host,
    ]


class SshForward:
    """A running `ssh -L`.

    Args:
        command: as a person would type it.
    """

    def __init__(self, command: list[str]) -> None:
        program, *arguments = command
        options = [word for name, value in _UNASKED.items() for word in ("-o", f"{name}={value}")]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(ssh_guard.__file__), program, *options, *arguments],
            stdin=subprocess.PIPE,  # its end tells the guard that we are gone
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is ours: what still runs here may need the way until its end
        )
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._listener = threading.Thread(target=self._listen, name="ssh-forward", daemon=True)
        self._listener.start()

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def words(self) -> str:
        """What it said lately."""
        if not self.runs:
            self._listener.join(1)
        return "\n".join(self._lines)

    def forget(self) -> None:
        """Forget what it said."""
        self._lines.clear()

    def wait(self) -> None:
        """Wait until it ends."""
        self._process.wait()

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(1)

    def _listen(self) -> None:
        stream = self._process.stderr
        if stream is not None:
            with stream:
                for line in stream:
                    self._lines.append(line.decode("utf-8", "replace").strip())
