"""Sections 2.2 to 2.4 and their undoing, each from several start states."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from runbook.engine.errors import CapacityError, ConflictError, FailedError, MissingError, RefusedError
from runbook.engine.outcome import Status
from tests.rehearsal.stand_in import LOCATION
from tests.steps_gke.workplace import Workplace, paths, variables_with

BUSY = "Cluster is running incompatible operation operation-1"
FEATURES = ("gke.workload_identity", "gke.gateway_api")


def path_of(work: Workplace) -> str:
    return f"{LOCATION}/clusters/{work.variables.cluster.name}"


def cluster_of(work: Workplace) -> dict[str, Any]:
    found: dict[str, Any] = work.cloud.get(path_of(work))
    return found


def make_bare_cluster(work: Workplace, **fields: Any) -> None:
    """Have somebody else make a cluster with no feature at all."""
    body = {
        "name": work.variables.cluster.name,
        "nodePools": [{"name": "default-pool", "initialNodeCount": 1}],
        "addonsConfig": {"httpLoadBalancing": {"disabled": True}},
    }
    work.cloud.wait(work.cloud.ask("POST", f"{LOCATION}/clusters", {"cluster": body | fields}))


def make_pool(work: Workplace, **config: Any) -> None:
    """Have somebody else make the TPU node pool."""
    pool = {
        "name": work.variables.node_pool.name,
        "initialNodeCount": 1,
        "locations": [work.variables.zone],
        "config": {"machineType": work.variables.tpu.machine_type} | config,
    }
    work.cloud.wait(work.cloud.ask("POST", f"{path_of(work)}/nodePools", {"nodePool": pool}))


def other(work: Workplace, **node_pool: Any) -> Workplace:
    """Give the same place with another wish for the node pool."""
    changed = work.variables.node_pool.model_copy(update=node_pool)
    return replace(work, variables=work.variables.model_copy(update={"node_pool": changed}))


def test_a_cluster_is_made_where_there_is_none(work: Workplace) -> None:
    (change,) = work.converges("gke.cluster")
    assert paths([change]) == [f"cluster/{work.variables.cluster.name}"]
    assert cluster_of(work)["addonsConfig"]["gcsFuseCsiDriverConfig"] == {"enabled": True}


def test_a_new_cluster_needs_no_update(work: Workplace) -> None:
    work.apply("gke.cluster")
    for addon in ("HttpLoadBalancing", "GcsFuseCsiDriver"):
        assert work.checked_without_a_write("gke.addon", addon=addon).status is Status.OK
    assert work.checked_without_a_write("gke.workload_identity").status is Status.OK


@pytest.mark.parametrize("addon", ["HttpLoadBalancing", "GcsFuseCsiDriver"])
def test_an_addon_that_is_off_is_switched_on(work: Workplace, addon: str) -> None:
    make_bare_cluster(work)
    (change,) = work.converges("gke.addon", addon=addon)
    assert f"--update-addons={addon}=ENABLED" in change.command


@pytest.mark.parametrize("uses", FEATURES)
def test_a_feature_that_is_off_is_switched_on(work: Workplace, uses: str) -> None:
    make_bare_cluster(work)
    assert len(work.converges(uses)) == 1


def test_workload_identity_is_mended_on_a_node_pool_that_is_there(work: Workplace) -> None:
    make_bare_cluster(work)
    make_pool(work)
    cluster, pool = work.converges("gke.workload_identity")
    assert paths([cluster]) == [f"cluster/{work.variables.cluster.name}.workloadIdentityConfig.workloadPool"]
    assert paths([pool]) == [f"node-pool/{work.variables.node_pool.name}.config.workloadMetadataConfig.mode"]
    assert pool.loss


def test_the_node_pool_is_made_from_the_reservation(work: Workplace) -> None:
    work.apply("gke.cluster")
    (change,) = work.converges("gke.node_pool")
    assert f"--reservation={work.variables.node_pool.reservation}" in change.command


def test_the_node_pool_gets_as_many_nodes_as_are_wanted(work: Workplace) -> None:
    work.apply("gke.cluster", "gke.node_pool")
    larger = other(work, nodes=2)
    (grown,) = larger.converges("gke.node_pool")
    assert [(found.before, found.after) for found in grown.differences] == [(1, 2)]
    assert grown.loss is None
    (shrunk,) = work.converges("gke.node_pool")
    assert shrunk.loss == "1 of 2 nodes, and what runs on them; the machines may not be had again"


def test_a_node_pool_that_gke_scales_keeps_its_nodes(work: Workplace) -> None:
    flexible = other(work, capacity="flex-start")
    flexible.apply("gke.cluster", "gke.node_pool")
    assert flexible.check("gke.node_pool").status is Status.OK


def test_the_node_pool_goes_and_then_the_cluster(work: Workplace) -> None:
    work.apply("gke.cluster", "gke.node_pool")
    (pool,) = work.converges("gke.node_pool", state="absent")
    (cluster,) = work.converges("gke.cluster", state="absent")
    assert pool.loss
    assert cluster.loss


@pytest.mark.parametrize("uses", [*FEATURES, "gke.node_pool"])
def test_without_the_cluster_a_step_names_the_one_that_makes_it(work: Workplace, uses: str) -> None:
    outcome = work.checked_without_a_write(uses)
    assert isinstance(outcome.error, MissingError)
    assert outcome.error.supplied_by == "gke.cluster"


def test_a_check_on_an_empty_project_plans_on(work: Workplace) -> None:
    outcomes = work.check_line("gke.cluster", "gke.workload_identity", "gke.gateway_api", "gke.node_pool")
    statuses = {uses: outcome.status for uses, outcome in outcomes.items()}
    assert statuses == {
        "gke.cluster": Status.WOULD_CHANGE,
        "gke.workload_identity": Status.OK,
        "gke.gateway_api": Status.OK,
        "gke.node_pool": Status.WOULD_CHANGE,
    }
    assert "as gke.cluster makes it" in outcomes["gke.workload_identity"].reason


def test_a_node_pool_of_another_machine_type_is_a_conflict(work: Workplace) -> None:
    work.apply("gke.cluster")
    make_pool(work, machineType="e2-standard-4")
    outcome = work.apply("gke.node_pool")
    assert isinstance(outcome.error, ConflictError)
    assert "config.machineType is e2-standard-4, not tpu7x-standard-4t" in outcome.error.message


def test_an_operation_that_already_runs_is_joined(work: Workplace) -> None:
    work.cloud.control("PUT", "settings", {"time_scale": 0.01})
    posted = threading.Thread(target=make_bare_cluster, args=(work,))
    posted.start()
    while not work.cloud.ask("GET", path_of(work)).ok:
        pass
    before = len(work.writes())
    assert work.apply("gke.cluster").status is Status.OK
    assert work.writes()[before:] == []
    assert any("CREATE_CLUSTER" in condition for condition in work.voice.conditions)
    posted.join()
    work.cloud.control("PUT", "settings", {"time_scale": 0})


def test_a_busy_cluster_is_waited_for(work: Workplace) -> None:
    make_bare_cluster(work)
    work.cloud.control(
        "POST", "faults", {"api": "container", "method": "PUT", "status": 400, "message": BUSY}
    )
    assert work.apply("gke.gateway_api").status is Status.CHANGED
    assert BUSY in work.voice.conditions
    assert cluster_of(work)["networkConfig"]["gatewayApiConfig"]["channel"] == "CHANNEL_STANDARD"


def test_an_answer_that_was_lost_is_found_again_and_nothing_is_posted_twice(work: Workplace) -> None:
    work.cloud.control("PUT", "settings", {"time_scale": 0.002})
    work.cloud.control("POST", "faults", {"kind": "truncate", "method": "POST", "path": "clusters$"})
    before = len(work.writes())
    assert work.apply("gke.cluster").status is Status.CHANGED
    assert len(work.writes()[before:]) == 1
    work.cloud.control("PUT", "settings", {"time_scale": 0})


def test_an_operation_that_fails_is_told_with_googles_words(work: Workplace) -> None:
    fault = {"kind": "operation_error", "message": "Internal trouble.", "path": "clusters$"}
    work.cloud.control("POST", "faults", fault)
    outcome = work.apply("gke.cluster")
    assert isinstance(outcome.error, FailedError)
    assert "Internal trouble" in outcome.error.message


def test_a_reservation_without_free_machines_is_a_matter_of_capacity(work: Workplace) -> None:
    work.apply("gke.cluster")
    message = "Reservation does not have enough resources for the request: short of 1 VM count"
    fault = {"status": 429, "message": message, "method": "POST", "path": "nodePools$"}
    work.cloud.control("POST", "faults", fault)
    outcome = work.apply("gke.node_pool")
    assert isinstance(outcome.error, CapacityError)
    assert outcome.error.message == message
    assert str(outcome.error.place).startswith("POST http")


def test_a_machine_stockout_ends_the_step_and_then_names_the_broken_pool(work: Workplace) -> None:
    work.apply("gke.cluster")
    fault = {"kind": "operation_error", "message": "GCE_STOCKOUT: no tpu7x in us-central1-c"}
    work.cloud.control("POST", "faults", fault | {"path": "nodePools$"})
    assert isinstance(work.apply("gke.node_pool").error, CapacityError)
    again = work.checked_without_a_write("gke.node_pool")
    assert again.status is Status.WOULD_CHANGE or isinstance(again.error, CapacityError)


def test_everything_that_still_costs_is_named(work: Workplace) -> None:
    work.apply("gke.cluster", "gke.node_pool", "storage.bucket")
    reason = work.check("gke.remains").reason
    for name in (work.variables.cluster.name, work.variables.node_pool.name, work.variables.bucket.name):
        assert name in reason


def test_a_cluster_too_old_for_the_machines_is_told_before_anything_is_posted(work: Workplace) -> None:
    make_bare_cluster(work, initialClusterVersion="1.33")
    outcome = work.checked_without_a_write("gke.node_pool")
    assert isinstance(outcome.error, RefusedError)
    assert work.variables.tpu.minimum_version in outcome.error.message
    assert "gcloud container clusters upgrade" in str(outcome.error.remedy)


@pytest.mark.parametrize("uses", ["gke.cluster", *FEATURES, "gke.node_pool"])
def test_a_cluster_of_a_kubeconfig_file_is_used_as_it_is(work: Workplace, uses: str) -> None:
    work.variables = variables_with("provider=kubeconfig")
    assert work.check(uses).status is Status.SKIPPED
