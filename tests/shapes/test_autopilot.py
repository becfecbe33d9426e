"""Autopilot: what the cluster does by itself is skipped with the reason."""

from __future__ import annotations

from runbook.engine.errors import RefusedError
from runbook.engine.outcome import Status
from tests.shapes.clouds import cluster_of, cluster_path, make_cluster
from tests.shapes.conftest import Shaped

AUTOPILOT = {"autopilot": {"enabled": True}, "addonsConfig": {}}
BY_ITSELF = {
    "gke.workload_identity": "Workload Identity is always on",
    "gke.node_pool": "GKE makes the nodes that Pods ask for",
}


def test_an_autopilot_cluster_is_made(shaped: Shaped) -> None:
    work = shaped("cluster.mode=autopilot")
    (change,) = work.converges("gke.cluster")
    assert change.command[:4] == ["gcloud", "container", "clusters", "create-auto"]
    assert cluster_of(work)["autopilot"] == {"enabled": True}


def test_a_check_on_an_empty_project_plans_on_past_what_does_not_apply(shaped: Shaped) -> None:
    work = shaped("cluster.mode=autopilot")
    outcomes = work.check_line("gke.cluster", "gke.workload_identity", "gke.gateway_api", "gke.node_pool")
    assert [outcome.status for outcome in outcomes.values()] == [
        Status.WOULD_CHANGE,
        Status.SKIPPED,
        Status.OK,
        Status.SKIPPED,
    ]


def test_what_an_existing_one_does_by_itself_is_skipped_with_the_reason(shaped: Shaped) -> None:
    work = shaped("cluster.mode=autopilot")
    make_cluster(work, **AUTOPILOT)
    name = work.variables.cluster.name
    for uses, why in BY_ITSELF.items():
        outcome = work.checked_without_a_write(uses)
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, f"cluster {name} is Autopilot: {why}")
    for addon in ("HttpLoadBalancing", "GcsFuseCsiDriver"):
        assert work.checked_without_a_write("gke.addon", addon=addon).status is Status.SKIPPED
    assert work.checked_without_a_write("gke.gateway_api").status is Status.OK


def test_what_a_cluster_is_is_read_and_a_wrong_variable_warned_about(shaped: Shaped) -> None:
    work = shaped()
    make_cluster(work, **AUTOPILOT)
    assert work.apply("gke.cluster").status is Status.OK
    assert work.apply("gke.node_pool").status is Status.SKIPPED
    assert any("set it to autopilot" in warning for warning in work.voice.warnings)


def test_one_that_is_too_old_for_the_machines_names_the_minimum(shaped: Shaped) -> None:
    work = shaped("cluster.mode=autopilot")
    make_cluster(work, initialClusterVersion="1.34.1-gke.1829001", **AUTOPILOT)
    error = work.checked_without_a_write("gke.node_pool").error
    assert isinstance(error, RefusedError)
    assert error.message.endswith(
        "has version 1.34.1-gke.1829001; tpu7x-standard-4t needs 1.34.1-gke.3084001"
    )


def test_gke_refuses_its_node_pools(shaped: Shaped) -> None:
    work = shaped()
    make_cluster(work, **AUTOPILOT)
    for method in ("GET", "POST"):
        answer = work.cloud.ask(method, f"{cluster_path(work)}/nodePools", {"nodePool": {"name": "mine"}})
        assert answer.json()["error"]["message"] == "Autopilot node pools cannot be accessed or modified."


def test_it_is_torn_down_like_any_other(shaped: Shaped) -> None:
    work = shaped("cluster.mode=autopilot")
    make_cluster(work, **AUTOPILOT)
    assert work.check("gke.node_pool", state="absent").status is Status.SKIPPED
    work.converges("gke.cluster", state="absent")
