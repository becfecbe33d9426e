"""A port of this machine that leads to a host behind another, by OpenSSH; kept up until it is closed."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from runbook.clients.ssh_errors import place_of
from runbook.clients.ssh_forward import SshForward, by_hand
from runbook.clients.ssh_words import ended, of_words
from runbook.config.ssh import SshLogin
from runbook.engine.errors import ConflictError, PassingError, RunbookError, UserError

OPENING_SECONDS: Final = 45.0
PORTS_TRIED: Final = 3
LOOK_SECONDS: Final = 0.05
SAYING_SECONDS: Final = 0.5
"""How long after a connection broke `ssh` may take to say why."""
PAUSES: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before an `ssh` that ended is started again."""


class SshTunnel:
    """A tunnel.

    Args:
        ssh: the host in between.
        host: the host behind it, by its name there.
        port: of the host behind it.
        knock: connects to a port of this machine; raises OSError where nobody is behind it.
    """

    def __init__(self, ssh: SshLogin, host: str, port: int, knock: Callable[[int], None]) -> None:
        self._ssh, self._host, self._far_port = ssh, host, port
        self._knock = knock
        self._closing = threading.Event()
        self._trouble: RunbookError | None = None
        self.port = 0
        self._forward = self._first()
        self._keeper = threading.Thread(target=self._keep_up, name="ssh-tunnel", daemon=True)
        self._keeper.start()

    def trouble(self) -> RunbookError | None:
        """Tell why nothing passes; None where nothing is known to be wrong."""
        deadline = time.monotonic() + SAYING_SECONDS
        while time.monotonic() < deadline:
            forward = self._forward
            if self._trouble is not None:
                return self._trouble
            if found := of_words(forward.words, self._ssh, self._host, self._far_port):
                forward.forget()
                return found
            time.sleep(LOOK_SECONDS)
        return None

    def close(self) -> None:
        """End it."""
        self._closing.set()
        self._forward.close()
        self._keeper.join()
        self._forward.close()  # one that was started meanwhile

    def _first(self) -> SshForward:
        if shutil.which("ssh") is None:
            raise UserError(
                "ssh is not on the PATH", place=place_of(self._ssh), remedy="install OpenSSH's client"
            )
        for _ in range(PORTS_TRIED - 1):
            try:
                return self._opened(_free_port())
            except ConflictError:  # somebody took the port meanwhile
                continue
        return self._opened(_free_port())

    def _opened(self, port: int) -> SshForward:
        """Start it and wait until somebody answers behind it."""
        try:
            forward = SshForward(by_hand(self._ssh, port, self._host, self._far_port))
        except OSError as error:  # too many processes, say, or files: there may be room later
            message = f"ssh cannot be started: {error.strerror or error}"
            raise PassingError(message, place=place_of(self._ssh)) from error
        self.port = port
        try:
            self._await_answer(forward)
        except BaseException:
            forward.close()
            raise
        return forward

    def _await_answer(self, forward: SshForward) -> None:
        deadline = time.monotonic() + OPENING_SECONDS
        while forward.runs and time.monotonic() < deadline and not self._closing.is_set():
            try:
                self._knock(self.port)
            except ConnectionRefusedError:  # it does not listen yet
                time.sleep(LOOK_SECONDS)
            except OSError:
                self._raise_reason(forward)
            else:
                forward.forget()
                return
        if forward.runs:
            behind = f"{self._host}:{self._far_port}"
            message = f"{behind} does not answer through the bastion in {OPENING_SECONDS:g} s"
            raise PassingError(message, place=place_of(self._ssh))
        raise ended(forward.words, self._ssh, self._host, self._far_port)

    def _raise_reason(self, forward: SshForward) -> None:
        deadline = time.monotonic() + SAYING_SECONDS
        while time.monotonic() < deadline:
            if found := of_words(forward.words, self._ssh, self._host, self._far_port):
                raise found
            time.sleep(LOOK_SECONDS)

    def _keep_up(self) -> None:
        while not self._closing.is_set():
            self._forward.wait()
            if self._closing.is_set():
                return
            self._trouble = ended(self._forward.words, self._ssh, self._host, self._far_port)
            self._forward.close()
            self._restart()

    def _restart(self) -> None:
        """Start it again at the same port: clients know no other. A host that says no is not asked again."""
        tries = 0
        while not self._closing.wait(PAUSES[min(tries, len(PAUSES) - 1)]):
            tries += 1
            try:
                self._forward = self._opened(self.port)
            except (PassingError, ConflictError) as error:
                self._trouble = error
            except RunbookError as error:
                self._trouble = error
                self._closing.wait()
            else:
                self._trouble = None
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
