"""The transfer that runs on another host by itself: found, started, asked to end, and its log read."""

from __future__ import annotations

import secrets

from runbook.clients.ssh import SshHost
from runbook.clients.ssh_python import SshPython, prepare, told
from runbook.config.ssh import Ssh
from runbook.engine.errors import FailedError
from runbook.transfer.detached import State
from runbook.transfer.orders import Orders

MODULE = "runbook.transfer.detached"


class SshTransfer:
    """The transfer of one folder on a host.

    Args:
        host: the host.
        ssh: the variables.
        name: of the transfer: what has the same name waits for, and joins, one another.
    """

    def __init__(self, host: SshHost, ssh: Ssh, name: str) -> None:
        self._host = host
        self._ssh = ssh
        self._folder = f"{ssh.folder}/{name}"
        self._prepared: SshPython | None = None
        self.host = str(host.place)

    def disconnect(self) -> None:
        """Close the connection; the next question opens another."""
        self._host.close()

    def look(self) -> State:
        """See whether it runs there, and what it moves."""
        return self._asked("look")

    def start(self, orders: Orders) -> State:
        """Start it, unless one runs there already.

        Args:
            orders: they are brought as a file that the transfer removes, and are in no command line.
        """
        path = f"{self._folder}/orders-{secrets.token_hex(4)}.json"
        self._host.put(path, orders.text().encode())
        return self._asked("start", path)

    def stop(self) -> State:
        """Ask it to end, and wait a little."""
        return self._asked("stop")

    def log(self, state: State, start: int) -> bytes:
        """Read on in what it tells, from a position."""
        return self._host.read(f"{self._folder}/{state.log}", start)

    def _asked(self, action: str, *words: str) -> State:
        answer = self._python().module(MODULE, action, self._folder, *words)
        if answer.code:
            raise FailedError(
                f"the transfer there cannot be asked to {action}: {told(answer)}", place=self._host.place
            )
        return State.read(answer.out.strip().rpartition("\n")[2])

    def _python(self) -> SshPython:
        if self._prepared is None:
            self._prepared = prepare(self._host, self._ssh)
            self._host.make_folder(self._folder)
        return self._prepared
