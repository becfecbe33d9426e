"""A private network: an API server whose only open door is the one to the bastion."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.any_cluster.between import Between, carry

SOCKET = re.compile(r"socket:\[(\d+)\]")


class PrivateApi(Between):
    """Stands before the API server like a firewall: only an sshd's connections pass.

    Args:
        server: the API server's address.
    """

    def __init__(self, server: str) -> None:
        super().__init__()
        self._to = urlsplit(server)
        self.passed = 0
        self.turned_away = 0

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Look who it is, then carry or close."""
        if not await asyncio.to_thread(_is_sshds, back.get_extra_info("peername")[1], self.port):
            self.turned_away += 1
            back.transport.abort()
            return
        self.passed += 1
        far, onward = await asyncio.open_connection(self._to.hostname, self._to.port)
        await carry((near, onward), (far, back))


def _is_sshds(port: int, to: int) -> bool:
    """Tell whose socket it is. One that nobody may look at is an sshd's: it hides its files."""
    owner = _owner(_inode(port, to))
    return owner is None or owner.startswith("sshd")


def _inode(port: int, to: int) -> str:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields: list[Any] = line.split()
        ends = [int(end.rpartition(":")[2], 16) for end in fields[1:3]]
        if ends == [port, to]:
            return str(fields[9])
    return ""


def _owner(inode: str) -> str | None:
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found = SOCKET.fullmatch(str(link.readlink()))
            if found and found[1] == inode:
                return (link.parents[1] / "comm").read_text().strip()
        except OSError:
            continue
    return None
