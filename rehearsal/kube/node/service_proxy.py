"""Service addresses: one listener for each Service port, each connection forwarded to a ready Pod."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.control.endpoints import selects, target_port
from rehearsal.kube.control.pods import is_ready, is_terminating
from rehearsal.kube.node.forwarding import Forwarder
from rehearsal.kube.node.ports import LOOPBACK

Address = tuple[str, int]
_Port = tuple[str, str, int]
"""Namespace, Service and port."""


class ServiceProxy:
    """Follows the Services of one cluster.

    Args:
        local_address: finds where a Pod's port listens on loopback.
        changed: called when the addresses of Services changed.
    """

    def __init__(
        self,
        store: Store,
        local_address: Callable[[str, str, int], Address | None],
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._local_address = local_address
        self._changed = changed
        self._listeners: dict[_Port, asyncio.Server] = {}
        self._connections: set[Forwarder] = set()

    async def run(self) -> None:
        """Open and close listeners as Services come and go, until cancelled."""
        queue = self._store.subscribe()
        try:
            await self._reconcile()
            while True:
                if (await queue.get()).kind.kind == "Service":
                    await self._reconcile()
        finally:
            self._store.unsubscribe(queue)
            for listener in self._listeners.values():
                listener.close()
            for connection in list(self._connections):
                connection.abort()

    def hosts(self, namespace: str) -> dict[str, str]:
        """Map each `host:port` that a Pod of the Namespace may say to the listener's address."""
        found = {}
        for (owner, name, port), listener in self._listeners.items():
            address = f"{LOOPBACK}:{listener.sockets[0].getsockname()[1]}"
            for host in self._names(owner, name, namespace):
                found[f"{host}:{port}"] = address
        return found

    def _names(self, owner: str, name: str, namespace: str) -> list[str]:
        names = [f"{name}.{owner}{suffix}" for suffix in ("", ".svc", ".svc.cluster.local")]
        service = self._store.get(kind_of("Service"), owner, name)
        address = (service or {}).get("spec", {}).get("clusterIP")
        names += [address] if address and address != "None" else []
        return [name, *names] if owner == namespace else names

    async def _reconcile(self) -> None:
        wanted = set(self._wanted())
        gone, new = set(self._listeners) - wanted, wanted - set(self._listeners)
        for port in gone:
            self._listeners.pop(port).close()
        for port in new:
            self._listeners[port] = await self._listen(port)
        if gone or new:
            self._changed()

    def _wanted(self) -> list[_Port]:
        return [
            (service["metadata"]["namespace"], service["metadata"]["name"], port["port"])
            for service in self._store.list(kind_of("Service"))
            if service["spec"].get("selector")
            for port in service["spec"].get("ports") or []
            if port.get("protocol", "TCP") == "TCP"
        ]

    async def _listen(self, port: _Port) -> asyncio.Server:
        def forwarder() -> Forwarder:
            return Forwarder(lambda: self._pick(port), self._connections)

        return await asyncio.get_running_loop().create_server(forwarder, LOOPBACK, 0)

    def _pick(self, wanted: _Port) -> Address | None:
        """Choose a ready Pod behind a Service port; None when there is none."""
        namespace, name, number = wanted
        service = self._store.get(kind_of("Service"), namespace, name)
        if service is None:
            return None
        port = next((entry for entry in service["spec"]["ports"] if entry["port"] == number), None)
        pods = [pod for pod in self._store.list(kind_of("Pod"), namespace) if _serves(service, pod)]
        addresses = [self._address(port, pod) for pod in pods if port]
        reachable = [address for address in addresses if address is not None]
        return random.choice(reachable) if reachable else None  # noqa: S311 - load balancing, not cryptography

    def _address(self, port: Object, pod: Object) -> Address | None:
        number = target_port(port, pod)
        metadata = pod["metadata"]
        return self._local_address(metadata["namespace"], metadata["name"], number) if number else None


def _serves(service: Object, pod: Object) -> bool:
    return selects(service, pod) and is_ready(pod) and not is_terminating(pod)
