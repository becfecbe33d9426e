"""Clusters as the stand-in shows them, and clusters that somebody else made."""

from __future__ import annotations

from typing import Any

from tests.rehearsal.stand_in import eventually
from tests.steps_gke.workplace import Workplace


def location(work: Workplace) -> str:
    """The path of the location that the variables name."""
    return f"/v1/projects/{work.variables.project}/locations/{work.variables.cluster.location}"


def cluster_path(work: Workplace) -> str:
    """The path of the cluster that the variables name."""
    return f"{location(work)}/clusters/{work.variables.cluster.name}"


def cluster_of(work: Workplace) -> dict[str, Any]:
    """The cluster as the API answers it."""
    found: dict[str, Any] = work.cloud.get(cluster_path(work))
    return found


def make_cluster(work: Workplace, **fields: Any) -> None:
    """Have somebody else make the cluster, with no feature that is not named."""
    body = {
        "name": work.variables.cluster.name,
        "nodePools": [{"name": "default-pool", "initialNodeCount": 1}],
        "addonsConfig": {"httpLoadBalancing": {"disabled": True}},
    }
    started = work.cloud.ask("POST", f"{location(work)}/clusters", {"cluster": body | fields})
    assert started.ok, started.text
    operation = f"{location(work)}/operations/{started.json()['name']}"
    eventually(lambda: work.cloud.get(operation)["status"] == "DONE")
