"""What GKE tells a cluster about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MADE_FOR_PODS = "nap"
"""How the names of node pools begin that GKE makes by itself (node auto-provisioning)."""


@dataclass
class ClusterFacts:
    """The facts of one cluster that its controllers and nodes act upon; GKE changes them while it runs.

    Args:
        key: `projects/P/locations/L/clusters/C`.
        version: the control plane's version, such as 1.34.1-gke.1829001.
        workload_pool: the cluster's Workload Identity pool, or empty.
        gcsfuse: whether the Cloud Storage FUSE CSI driver add-on is on.
        nodes: name, node_pool, zone, machine_type, labels, taints, capacity and workload_metadata of each.
        autopilot: whether nodes are made for the Pods that find none; these are kept beside GKE's own.
        zones: where such nodes can be; tpu_zones: where with TPUs.
    """

    key: str
    project: str = ""
    location: str = ""
    version: str = ""
    workload_pool: str = ""
    gcsfuse: bool = False
    nodes: list[Mapping[str, Any]] = field(default_factory=list)
    autopilot: bool = False
    zones: list[str] = field(default_factory=list)
    tpu_zones: list[str] = field(default_factory=list)

    def take(self, facts: Mapping[str, Any]) -> None:
        """Take over what GKE says now."""
        self.project = facts.get("project") or self.key.split("/")[1]
        self.location = facts.get("location") or self.key.split("/")[3]
        self.version = facts["version"]
        self.workload_pool = facts.get("workload_pool") or ""
        self.gcsfuse = bool(facts.get("gcsfuse"))
        self.autopilot = bool(facts.get("autopilot"))
        self.zones = list(facts.get("zones") or [])
        self.tpu_zones = list(facts.get("tpu_zones") or [])
        self.nodes = [*(facts.get("nodes") or []), *self.made]

    @property
    def made(self) -> list[Mapping[str, Any]]:
        """List the nodes that were made for Pods."""
        return [node for node in self.nodes if node.get("made_for")]

    def workload_metadata(self, node: str) -> str:
        """Say which metadata server a node's Pods see: GKE_METADATA or GCE_METADATA."""
        found = next((entry for entry in self.nodes if entry["name"] == node), {})
        return str(found.get("workload_metadata") or "")
