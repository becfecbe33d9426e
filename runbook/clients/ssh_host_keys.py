"""Whether a host is the one that is meant: its key is in known_hosts. fabric by itself would take any."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from paramiko import PKey, RejectPolicy, SSHClient
from paramiko.ssh_exception import BadHostKeyException

from runbook.config.ssh import SshLogin
from runbook.engine.errors import Place, RefusedError

KNOWN_HOSTS: Final = "~/.ssh/known_hosts"


def known_file(ssh: SshLogin) -> Path:
    """Name the file of known keys."""
    return Path(ssh.known_hosts or KNOWN_HOSTS).expanduser()


def demand_known_key(client: SSHClient, ssh: SshLogin) -> None:
    """Have a client accept the known keys and no other."""
    known = known_file(ssh)
    client.set_missing_host_key_policy(_Refuse(known))
    if known.is_file():
        client.load_system_host_keys(str(known))


def changed_key(error: BadHostKeyException, ssh: SshLogin) -> RefusedError:
    """Tell that the host has another key than the known one."""
    known = known_file(ssh)
    return RefusedError(
        f"the key of {error.hostname} has changed: it is {_told(error.key)}, and known is "
        f"{_told(error.expected_key)}; somebody may stand in between",
        place=Place(str(known)),
        remedy="ask the host's owner; only where the key was really replaced, take the old line out",
    )


class _Refuse(RejectPolicy):  # type: ignore[misc] # paramiko has no types
    """Refuses a host whose key nobody has vouched for, and says what to compare.

    Args:
        known: the file of known keys.
    """

    def __init__(self, known: Path) -> None:
        self._known = known

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:  # noqa: ARG002 - paramiko's
        """Refuse.

        Raises:
            RefusedError: always.
        """
        host, _, port = hostname.strip("[").partition("]:")
        words = f"-p {port} {host}" if port else host
        raise RefusedError(
            f"the key of {hostname} is not known: {_told(key)}",
            place=Place(str(self._known)),
            remedy=f"connect once with `ssh {words}` and compare the fingerprint with what the host's owner "
            f"says, or take it from a network that you trust: ssh-keyscan {words} >> {self._known}",
        )


def _told(key: Any) -> str:
    return f"{key.get_name()} {key.fingerprint}"
