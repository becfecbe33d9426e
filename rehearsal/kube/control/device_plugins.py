"""Device plugins: a Node offers its chips some time after it is Ready, when their plugin has registered."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Store
from rehearsal.kube.control.control_loop import Controller, Key, named
from rehearsal.kube.control.nodes import is_extended
from rehearsal.kube.control.pods import seconds_since
from rehearsal.kube.facts import ClusterFacts
from rehearsal.world import World

_REGISTRATION_SECONDS = 30.0
"""From a Node that is Ready to its chips: the plugin's own Pod is pulled and started first."""


class DevicePlugins(Controller):
    """Adds the extended resources that GKE's facts name, such as google.com/tpu, to the Nodes.

    Args:
        facts: which Node has how many.
        world: for how durations pass.
    """

    def __init__(self, store: Store, facts: ClusterFacts, world: World) -> None:
        super().__init__(store)
        self._facts = facts
        self._world = world

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Nodes."""
        return named(event, "Node") if event.type != "DELETED" else []

    def reconcile(self, key: Key) -> float | None:
        """Register the devices of one Node, or come back when their plugin will run."""
        node = self.find("Node", key)
        if node is None:
            return None
        devices = self._devices(key[1])
        if devices.items() <= node["status"]["capacity"].items():
            return None
        age = seconds_since(node["metadata"]["creationTimestamp"])
        left = _REGISTRATION_SECONDS * self._world.settings.time_scale - age
        if left > 0:
            return left
        for field in ("capacity", "allocatable"):
            node["status"][field] |= devices
        self.store.update(kind_of("Node"), node, status_only=True)
        return None

    def _devices(self, node: str) -> dict[str, str]:
        entry = next((entry for entry in self._facts.nodes if entry["name"] == node), {})
        capacity = entry.get("capacity") or {}
        return {name: str(value) for name, value in capacity.items() if is_extended(name)}
