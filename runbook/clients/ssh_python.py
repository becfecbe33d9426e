"""What a transfer needs on another host, put there once: the program, and a Python with google-crc32c."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from runbook.clients.ssh import Answer, SshHost
from runbook.config.ssh import Ssh
from runbook.engine.errors import FailedError, RefusedError
from runbook.transfer.archive import archive
from runbook.transfer.requirement import requirement

OLDEST: Final = (3, 11)
VERSION: Final = "import sys; print(*sys.version_info[:3])"
INSTALL_SECONDS: Final = 600.0
MOST_TOLD: Final = 400


@dataclass(frozen=True)
class SshPython:
    """A Python on a host, with the transfer's program.

    Args:
        host: the host.
        python: the Python's name or path there.
        program: path of the program there.
    """

    host: SshHost
    python: str
    program: str

    def module(self, name: str, *words: str, limit_s: float = 60.0) -> Answer:
        """Run a module of the program."""
        command = ["env", f"PYTHONPATH={self.program}", self.python, "-m", name, *words]
        return self.host.run(command, limit_s)


def prepare(host: SshHost, ssh: Ssh) -> SshPython:
    """Put there what is not there yet.

    Raises:
        RefusedError: there is no such Python, or it is too old.
        FailedError: nothing can be written there, or google-crc32c cannot be installed.
    """
    version = _version(host, ssh)
    host.make_folder(ssh.folder)
    given = SshPython(host, ssh.python, _program(host, ssh.folder))
    if host.run([ssh.python, "-c", "import google_crc32c"]).code == 0:
        return given
    own = f"{ssh.folder}/python-{_short(f'{ssh.python} {version} {requirement()}'.encode())}"
    if not host.has(f"{own}/bin/python"):
        _install(given, own)
    return SshPython(host, f"{own}/bin/python", given.program)


def _version(host: SshHost, ssh: Ssh) -> str:
    answer = host.run([ssh.python, "-c", VERSION])
    version = answer.out.strip().rpartition("\n")[2]
    remedy = "install Python 3.11 or newer there, or name one in transfer.ssh.python"
    if answer.code or not version.replace(" ", "").isdigit():
        raise RefusedError(f"there is no {ssh.python}: {told(answer)}", place=host.place, remedy=remedy)
    if tuple(map(int, version.split())) < OLDEST:
        message = f"{ssh.python} is Python {version.replace(' ', '.')}, and 3.11 is needed"
        raise RefusedError(message, place=host.place, remedy=remedy)
    return version


def _program(host: SshHost, folder: str) -> str:
    content = archive()
    path = f"{folder}/transfer-{_short(content)}.pyz"
    if not host.has(path):
        host.put(path, content)
    return path


def _install(python: SshPython, folder: str) -> None:
    answer = python.module("runbook.transfer.own_python", folder, requirement(), limit_s=INSTALL_SECONDS)
    if answer.code:
        raise FailedError(
            f"{requirement()} cannot be installed there: {told(answer)}",
            place=python.host.place,
            remedy="install it there for transfer.ssh.python, or what is missing for it: venv and pip "
            "(Debian: apt install python3-venv), and a way to PyPI",
        )


def told(answer: Answer) -> str:
    """Give the end of what a command that failed has said."""
    said = (answer.error.strip() or answer.out.strip()).replace("\n", " ")
    return said[-MOST_TOLD:] or f"exit code {answer.code}"


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
