"""Traps of section 2 on the stand-in: what the guide's requests make, beside what the steps make."""

from __future__ import annotations

from runbook.engine.outcome import Status
from tests.rehearsal.stand_in import LOCATION
from tests.steps_gke.workplace import Workplace, variables_with


def path_of(work: Workplace) -> str:
    return f"{LOCATION}/clusters/{work.variables.cluster.name}"


def make_as_the_guide(work: Workplace) -> None:
    pools = [{"name": "default-pool", "initialNodeCount": 1}]
    body = {"cluster": {"name": work.variables.cluster.name, "nodePools": pools}}
    work.cloud.wait(work.cloud.ask("POST", f"{LOCATION}/clusters", body))


def test_d5_one_node_of_a_regional_cluster_is_three_small_ones(work: Workplace) -> None:
    make_as_the_guide(work)
    found = work.cloud.get(path_of(work))
    assert found["currentNodeCount"] == 3
    assert found["nodePools"][0]["config"]["machineType"] == "e2-medium"


def test_d5_here_it_is_one_that_is_named_and_large_enough(work: Workplace) -> None:
    (change,) = work.converges("gke.cluster")
    assert "1 x e2-standard-8 in us-central1-c" in str(change.differences[0].after)
    found = work.cloud.get(path_of(work))
    assert (found["currentNodeCount"], found["nodePools"][0]["locations"]) == (1, ["us-central1-c"])


def test_d6_the_guide_updates_a_node_pool_that_is_not_there_yet(work: Workplace) -> None:
    work.apply("gke.cluster")
    pool = f"{path_of(work)}/nodePools/{work.variables.node_pool.name}"
    metadata = {"workloadMetadataConfig": {"mode": "GKE_METADATA"}}
    assert work.cloud.ask("PUT", pool, metadata).status_code == 404
    outcome = work.checked_without_a_write("gke.workload_identity")
    assert outcome.status is Status.OK
    assert "2.4 makes the node pool with it" in outcome.reason


def test_d10_the_guides_example_zone_has_no_such_machine(work: Workplace) -> None:
    work.apply("gke.cluster")
    there = Workplace(
        work.cloud,
        variables_with(
            f"project={work.variables.project}",
            f"cluster.name={work.variables.cluster.name}",
            "zone=us-central1-a",
        ),
    )
    outcome = there.apply("gke.node_pool")
    assert outcome.error is not None
    assert "does not exist in zone 'us-central1-a'" in outcome.error.message
