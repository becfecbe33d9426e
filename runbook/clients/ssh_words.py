"""What the OpenSSH client says when it forwards no port, as the project's errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from runbook.clients.ssh_errors import forbidden, key_remedy, place_of, unreached, where_remedy
from runbook.clients.ssh_host_keys import known_file
from runbook.config.ssh import SshLogin
from runbook.engine.errors import (
    ConflictError,
    CredentialsError,
    PassingError,
    Place,
    RefusedError,
    RunbookError,
)

_Maker = Callable[[SshLogin, str, int, re.Match[str]], RunbookError]


def of_words(words: str, ssh: SshLogin, host: str, port: int) -> RunbookError | None:
    """Find the error in what `ssh` said; None where it said nothing of the kind.

    Args:
        words: its lines.
        ssh: the host in between.
        host: the host behind it.
        port: of the host behind it.
    """
    for pattern, make in _WORDS:
        if found := pattern.search(words):
            return make(ssh, host, port, found)
    return None


def ended(words: str, ssh: SshLogin, host: str, port: int) -> RunbookError:
    """Make the error of an `ssh` that has ended."""
    last = words.strip().rpartition("\n")[2] or "it said nothing"
    return of_words(words, ssh, host, port) or PassingError(f"ssh ended: {last}", place=place_of(ssh))


def _changed(ssh: SshLogin, _host: str, _port: int, _found: re.Match[str]) -> RunbookError:
    return RefusedError(
        f"the key of {ssh.host} has changed; somebody may stand in between",
        place=Place(str(known_file(ssh))),
        remedy="ask the host's owner; only where the key was really replaced, take the old line out",
    )


def _unknown(ssh: SshLogin, _host: str, _port: int, _found: re.Match[str]) -> RunbookError:
    words = f"-p {ssh.port} {ssh.host}" if ssh.port else ssh.host
    return RefusedError(
        f"the key of {ssh.host} is not known",
        place=Place(str(known_file(ssh))),
        remedy=f"connect once with `ssh {words}` and compare the fingerprint with what the host's owner says",
    )


def _denied(ssh: SshLogin, _host: str, _port: int, _found: re.Match[str]) -> RunbookError:
    return CredentialsError(
        "the host accepts none of the keys that were offered for this login",
        place=place_of(ssh),
        remedy=key_remedy(ssh),
    )


def _taken(ssh: SshLogin, _host: str, _port: int, _found: re.Match[str]) -> RunbookError:
    return ConflictError("the port to forward from is taken", place=place_of(ssh))


def _prohibited(ssh: SshLogin, host: str, port: int, _found: re.Match[str]) -> RunbookError:
    return forbidden(place_of(ssh), host, port)


def _behind(ssh: SshLogin, host: str, port: int, found: re.Match[str]) -> RunbookError:
    return unreached(place_of(ssh), host, port, found[1])


def _nameless(ssh: SshLogin, _host: str, _port: int, found: re.Match[str]) -> RunbookError:
    return PassingError(f"the name is not known: {found[1]}", place=place_of(ssh), remedy=where_remedy(ssh))


def _away(ssh: SshLogin, _host: str, _port: int, found: re.Match[str]) -> RunbookError:
    return PassingError(
        f"the host does not answer: {found[1].strip().lower()}", place=place_of(ssh), remedy=where_remedy(ssh)
    )


_WORDS: Final[tuple[tuple[re.Pattern[str], _Maker], ...]] = (
    (re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED"), _changed),
    (re.compile(r"host key is known for|Host key verification failed"), _unknown),
    (re.compile(r"Permission denied \(|Too many authentication failures"), _denied),
    (re.compile(r"open failed: administratively prohibited"), _prohibited),
    (re.compile(r"open failed: (?:connect failed: )?(.+)"), _behind),
    (re.compile(r"Address already in use|cannot listen to port"), _taken),
    (re.compile(r"Could not resolve hostname [^:]+: (.+)"), _nameless),
    (re.compile(r"connect to (?:host|address) .+ port \d+: (.+)"), _away),
    (re.compile(r"(Timeout, server .+ not responding|Connection timed out.*|Connection reset.*)"), _away),
)
"""In the order in which they are looked for: what one hop says may hold the words of another."""
