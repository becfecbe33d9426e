"""What the stand-in refuses of shapes, as GKE does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.shapes.clouds import cluster_path, location, make_cluster
from tests.shapes.conftest import Shaped

CLOSED = {"ipEndpointsConfig": {"enabled": False}}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "us-central1-c",
        {"autopilot": {"enabled": True}},
        "Autopilot clusters must be regional clusters.",
    ),
    (
        "us-central1-a",
        {"locations": ["us-central1-c"]},
        'Cluster.locations must contain the cluster\'s zone "us-central1-a".',
    ),
    (
        "us-central1",
        {"network": "projects/host-project/global/networks/shared", "subnetwork": "tpus"},
        'Subnetwork "tpus" is not in network "shared" of project "host-project".',
    ),
    (
        "us-central1",
        {
            "network": "projects/host-project/global/networks/shared",
            "subnetwork": "projects/host-project/regions/us-central1/subnetworks/tpus",
        },
        "Secondary ranges for Pods and Services must be named in a network of another project"
        ' ("host-project").',
    ),
    (
        "us-central1",
        {"controlPlaneEndpointsConfig": CLOSED},
        "Either the DNS endpoint or the IP endpoints must be enabled.",
    ),
]


@pytest.mark.parametrize(("where", "fields", "message"), REFUSED)
def test_clusters_that_cannot_be(shaped: Shaped, where: str, fields: dict[str, Any], message: str) -> None:
    work = shaped(f"cluster.location={where}")
    body = {"name": work.variables.cluster.name, "initialNodeCount": 1} | fields
    answer = work.cloud.ask("POST", f"{location(work)}/clusters", {"cluster": body})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


@pytest.mark.parametrize(
    "update",
    [
        {"desiredAddonsConfig": {"httpLoadBalancing": {"disabled": True}}},
        {"desiredAddonsConfig": {"gcsFuseCsiDriverConfig": {"enabled": False}}},
        {"desiredWorkloadIdentityConfig": {"workloadPool": ""}},
    ],
)
def test_autopilot_does_not_part_with_its_features(shaped: Shaped, update: dict[str, Any]) -> None:
    work = shaped()
    make_cluster(work, autopilot={"enabled": True}, addonsConfig={})
    answer = work.cloud.ask("PUT", cluster_path(work), {"update": update})
    assert answer.status_code == 400


def test_a_dns_endpoint_can_be_opened_later(shaped: Shaped) -> None:
    work = shaped()
    make_cluster(work)
    opened = {"desiredControlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}}}
    work.cloud.wait(work.cloud.ask("PUT", cluster_path(work), {"update": opened}))
    config = work.cloud.get(cluster_path(work))["controlPlaneEndpointsConfig"]
    assert config["dnsEndpointConfig"]["endpoint"].startswith("localhost:")
    assert config["dnsEndpointConfig"]["allowExternalTraffic"]
    assert config["ipEndpointsConfig"]["enabled"]


def test_where_addresses_are_off_the_dns_endpoint_cannot_be_closed(shaped: Shaped) -> None:
    work = shaped("cluster.endpoint=dns")
    work.apply("gke.cluster")
    closed = {"desiredControlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": False}}}
    assert work.cloud.ask("PUT", cluster_path(work), {"update": closed}).status_code == 400
