"""Where there are no node pools, the server's Pods say which machines they want."""

from __future__ import annotations

from typing import Any

import pytest

from tests.manifests.conftest import Workload

TPU = {"cloud.google.com/gke-tpu-accelerator": "tpu7x", "cloud.google.com/gke-tpu-topology": "2x2x1"}
ZONE = {"topology.kubernetes.io/zone": "us-central1-c"}
WANTED: list[tuple[str, str, dict[str, str]]] = [
    (
        "reservation",
        "mine",
        {"cloud.google.com/reservation-affinity": "specific", "cloud.google.com/reservation-name": "mine"},
    ),
    (
        "reservation",
        "projects/owner-project/reservations/shared",
        {
            "cloud.google.com/reservation-affinity": "specific",
            "cloud.google.com/reservation-name": "shared",
            "cloud.google.com/reservation-project": "owner-project",
        },
    ),
    ("spot", "", {"cloud.google.com/gke-spot": "true"}),
    ("flex-start", "", {"cloud.google.com/gke-flex-start": "true"}),
    ("on-demand", "", {}),
]


def selected(workload: Workload, *settings: str) -> dict[str, Any]:
    found: dict[str, Any] = workload(*settings)["Deployment"]["spec"]["template"]["spec"]["nodeSelector"]
    return found


@pytest.mark.parametrize(("capacity", "reservation", "labels"), WANTED)
def test_they_ask_for_what_a_node_pool_would_have(
    workload: Workload, capacity: str, reservation: str, labels: dict[str, str]
) -> None:
    settings = (f"node_pool.capacity={capacity}", f"node_pool.reservation={reservation}")
    assert selected(workload, "cluster.mode=autopilot", *settings) == TPU | ZONE | labels


def test_in_a_standard_cluster_the_node_pool_has_it(workload: Workload) -> None:
    assert selected(workload) == TPU
