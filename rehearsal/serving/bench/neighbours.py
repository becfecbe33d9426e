"""Names inside the cluster, resolved as the container knows them."""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from rehearsal.serving import container


class ClusterResolver(AbstractResolver):
    """Finds a Service by its name; the container's description is read afresh, as addresses may change."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Tell where host:port really listens.

        Raises:
            OSError: the cluster's name service does not know it.
        """
        del family
        address = container.current().hosts.get(f"{host}:{port}")
        if address is None and host == "localhost":
            address = f"{container.LOOPBACK}:{port}"
        if address is None:
            raise OSError(socket.EAI_NONAME, "Name or service not known")
        where, _, number = address.rpartition(":")
        return [
            ResolveResult(
                hostname=host,
                host=where,
                port=int(number),
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is kept open."""
