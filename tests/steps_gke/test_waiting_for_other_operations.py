"""What is in the way of a change is waited for by name, then the cluster is read again, then posted."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from runbook.config.schema import Variables
from runbook.engine.change import Change
from runbook.engine.errors import CapacityError, FailedError, RefusedError
from runbook.engine.outcome import Outcome, Status
from tests.rehearsal.stand_in import LOCATION
from tests.steps_gke.workplace import Workplace, variables_with

GATEWAY_ON = {"update": {"desiredGatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}}
RESERVED = {
    "consumeReservationType": "SPECIFIC_RESERVATION",
    "key": "compute.googleapis.com/reservation-name",
    "values": ["rehearsal-reservation"],
}
BUSY = {
    "incompatible": (400, "Cluster is running incompatible operation operation-1-aa."),
    "node pool work": (
        400,
        "Operation operation-1-aa is currently creating a node pool for cluster demo."
        " Please wait and try again once it is done.",
    ),
    "being created": (
        400,
        "Cluster is currently being created, deleted, updated or repaired and cannot be updated.",
    ),
    "quota of operations": (
        429,
        'Too many operations: cluster "demo" hits the concurrent operations quota 5, please try again later.',
    ),
}
SHORTAGES = {
    "reservation": (
        'Reservation does not have enough resources for the request: specific reservation "R" is '
        'insufficient for node pool "np" at zone "Z": required 1 and short of 1 VM count of machine '
        "type tpu7x-standard-4t.",
        "free a machine of the reservation",
    ),
    "quota": (
        'insufficient regional quota to satisfy request: resource "TPUS": request requires 4.0',
        "ask for more quota",
    ),
    "stockout": (
        "Google Compute Engine: [GCE_STOCKOUT]: The zone 'projects/p/zones/us-central1-c' does not have "
        "enough resources available to fulfill the request.",
        "flex-start, which waits for machines",
    ),
}


def cluster_path(work: Workplace) -> str:
    return f"{LOCATION}/clusters/{work.variables.cluster.name}"


def pool_path(work: Workplace) -> str:
    return f"{cluster_path(work)}/nodePools/{work.variables.node_pool.name}"


def made(work: Workplace, **fields: Any) -> None:
    """Have somebody else make a cluster."""
    body = {
        "name": work.variables.cluster.name,
        "nodePools": [{"name": "default-pool", "initialNodeCount": 1}],
        "workloadIdentityConfig": {"workloadPool": "demo-project.svc.id.goog"},
    } | fields
    work.cloud.wait(work.cloud.ask("POST", f"{LOCATION}/clusters", {"cluster": body}))


def occupied(work: Workplace, seconds: float = 0.6) -> None:
    """Have GKE start an operation by itself."""
    names = {"project": "demo-project", "cluster": work.variables.cluster.name, "seconds": seconds}
    work.cloud.control("POST", "scenarios/busy-cluster", names)


def with_pool(work: Workplace, **config: Any) -> None:
    """Have somebody else make a cluster with a TPU node pool whose Pods see the machine's metadata server."""
    pool = {
        "name": work.variables.node_pool.name,
        "initialNodeCount": 1,
        "locations": [work.variables.zone],
        "config": {
            "machineType": work.variables.tpu.machine_type,
            "workloadMetadataConfig": {"mode": "GCE_METADATA"},
        }
        | config,
    }
    made(work, nodePools=[{"name": "default-pool", "initialNodeCount": 1}, pool])


def puts(work: Workplace) -> list[str]:
    return [entry for entry in work.writes() if entry.endswith(cluster_path(work)) and entry[:3] == "PUT"]


def test_what_gke_does_by_itself_after_a_create_is_waited_out_by_name(work: Workplace) -> None:
    assert work.apply("gke.cluster").status is Status.CHANGED
    occupied(work)
    assert work.apply("gke.node_pool").status is Status.CHANGED
    assert any("operation-" in text and "(UPGRADE_MASTER) RUNNING" in text for text in work.voice.conditions)


@pytest.mark.parametrize(("status", "message"), BUSY.values(), ids=BUSY.keys())
def test_each_busy_answer_is_shown_and_waited_out(work: Workplace, status: int, message: str) -> None:
    made(work)
    fault = {"method": "PUT", "path": cluster_path(work), "status": status, "message": message}
    work.cloud.control("POST", "faults", fault)
    assert work.apply("gke.gateway_api").status is Status.CHANGED
    assert message.rstrip(".") in work.voice.conditions
    assert len(puts(work)) == 2


def test_an_operation_that_starts_just_before_the_post_is_waited_for_by_name(work: Workplace) -> None:
    with_pool(work)

    def ask(change: Change) -> bool:
        occupied(work)
        return True

    work.ask = ask
    assert work.apply("gke.workload_identity").status is Status.CHANGED
    refused = next(text for text in work.voice.conditions if "incompatible operation operation-" in text)
    named = refused.rpartition(" ")[2]
    assert f"{named} (UPGRADE_MASTER) RUNNING" in work.voice.conditions


def test_what_somebody_else_did_meanwhile_is_not_posted_again(work: Workplace) -> None:
    made(work)
    work.cloud.control("PUT", "settings", {"time_scale": 0.01})
    outcomes: list[Outcome] = []
    runner = threading.Thread(target=lambda: outcomes.append(work.apply("gke.gateway_api")))
    posted = work.cloud.ask("PUT", cluster_path(work), GATEWAY_ON)
    assert posted.ok, posted.text
    runner.start()
    runner.join()
    work.cloud.control("PUT", "settings", {"time_scale": 0})
    assert outcomes[0].status is Status.OK
    assert len(puts(work)) == 1


def test_a_refusal_after_which_the_change_is_there_ends_without_a_second_post(work: Workplace) -> None:
    with_pool(work)

    def ask(change: Change) -> bool:
        """Somebody else makes the same change while the operator is asked."""
        mode = {"workloadMetadataConfig": {"mode": "GKE_METADATA"}}
        work.cloud.control("PUT", "settings", {"time_scale": 0.005})
        assert work.cloud.ask("PUT", pool_path(work), mode).ok
        return True

    work.ask = ask
    assert work.apply("gke.workload_identity").status is Status.CHANGED
    work.cloud.control("PUT", "settings", {"time_scale": 0})
    answers = work.cloud.logged(method="PUT", path=pool_path(work))
    assert [entry["status"] for entry in answers] == [200, 400]


def test_another_operation_that_fails_does_not_fail_the_step(work: Workplace) -> None:
    made(work)
    work.cloud.control("PUT", "settings", {"time_scale": 0.01})
    trouble = {"kind": "operation_error", "message": "Somebody's trouble.", "path": cluster_path(work)}
    work.cloud.control("POST", "faults", trouble)
    assert work.cloud.ask("PUT", cluster_path(work), GATEWAY_ON).ok
    assert work.apply("gke.gateway_api").status is Status.CHANGED
    work.cloud.control("PUT", "settings", {"time_scale": 0})
    assert any("Somebody's trouble." in text for text in work.voice.warnings)


def test_a_wait_for_others_ends_at_the_deadline_and_names_the_operation(work: Workplace) -> None:
    made(work)
    occupied(work, seconds=30)
    work.variables = with_a_second_of_patience(work)
    outcome = work.apply("gke.gateway_api")
    assert isinstance(outcome.error, FailedError)
    assert "UPGRADE_MASTER" in outcome.error.message


@pytest.mark.parametrize(("message", "remedy"), SHORTAGES.values(), ids=SHORTAGES.keys())
def test_a_shortage_at_the_post_says_what_to_do(work: Workplace, message: str, remedy: str) -> None:
    made(work)
    fault = {"method": "POST", "path": "nodePools", "status": 403 if "quota" in message else 429}
    work.cloud.control("POST", "faults", fault | {"message": message})
    error = work.apply("gke.node_pool").error
    assert isinstance(error, CapacityError)
    assert error.message == message.rstrip(".")
    assert remedy in str(error.remedy)
    assert "6.2" not in str(error.remedy)


@pytest.mark.parametrize(("message", "remedy"), SHORTAGES.values(), ids=SHORTAGES.keys())
def test_a_pool_that_a_shortage_left_in_error_goes_first(work: Workplace, message: str, remedy: str) -> None:
    made(work)
    fault = {"kind": "operation_error", "method": "POST", "path": "nodePools", "message": message}
    work.cloud.control("POST", "faults", fault)
    for error in (work.apply("gke.node_pool").error, work.check("gke.node_pool").error):
        assert isinstance(error, CapacityError)
        assert message in error.message
        assert str(error.remedy).startswith(
            "`inv step 6.2` deletes the node pool that is left in ERROR; then "
        )
        assert remedy in str(error.remedy)
    assert work.apply("gke.node_pool", state="absent").status is Status.CHANGED
    assert work.apply("gke.node_pool").status is Status.CHANGED


def test_nodes_that_are_made_anew_are_asked_about(work: Workplace) -> None:
    with_pool(work)
    work.ask = lambda change: False
    outcome = work.apply("gke.workload_identity")
    assert isinstance(outcome.error, RefusedError)
    assert "what runs on the nodes" in outcome.error.message
    assert work.cloud.get(pool_path(work))["config"]["workloadMetadataConfig"]["mode"] == "GCE_METADATA"


def test_a_reserved_pool_replaces_its_nodes_without_a_further_machine(work: Workplace) -> None:
    with_pool(work, reservationAffinity=RESERVED)
    surge, mode = work.converges("gke.workload_identity")
    assert "--max-surge-upgrade=0" in surge.command
    assert "--workload-metadata=GKE_METADATA" in mode.command
    assert (surge.loss is not None, mode.loss) == (True, None)
    settings = work.cloud.get(pool_path(work))["upgradeSettings"]
    assert (settings.get("maxSurge", 0), settings["maxUnavailable"]) == (0, 1)


def test_a_no_leaves_a_reserved_pool_as_it_was(work: Workplace) -> None:
    with_pool(work, reservationAffinity=RESERVED)
    before = work.cloud.get(pool_path(work))
    work.ask = lambda change: False
    assert isinstance(work.apply("gke.workload_identity").error, RefusedError)
    assert work.cloud.get(pool_path(work)) == before


def test_a_pool_without_a_reservation_keeps_its_surge(work: Workplace) -> None:
    with_pool(work, spot=True)
    (mode,) = work.converges("gke.workload_identity")
    assert "--workload-metadata=GKE_METADATA" in mode.command


def test_a_cluster_that_stays_busy_ends_the_step_at_its_deadline(work: Workplace) -> None:
    made(work)
    status, message = BUSY["being created"]
    fault = {"method": "PUT", "path": cluster_path(work), "status": status, "message": message}
    work.cloud.control("POST", "faults", fault | {"times": 1000})
    work.variables = with_a_second_of_patience(work)
    outcome = work.apply("gke.gateway_api")
    assert isinstance(outcome.error, FailedError)
    assert outcome.error.message == f"GKE stays busy: {message.rstrip('.')}"


@pytest.mark.parametrize("scale", [0, 0.005])
def test_a_lost_answer_of_a_change_that_was_made_is_no_failure(work: Workplace, scale: float) -> None:
    made(work)
    fault = {"kind": "truncate", "method": "PUT", "path": cluster_path(work)}
    work.cloud.control("PUT", "settings", {"time_scale": scale})
    work.cloud.control("POST", "faults", fault)
    assert work.apply("gke.gateway_api").status is Status.CHANGED
    work.cloud.control("PUT", "settings", {"time_scale": 0})
    assert len(puts(work)) == 1


def with_a_second_of_patience(work: Workplace) -> Variables:
    name = f"cluster.name={work.variables.cluster.name}"
    return variables_with("project=demo-project", name, "cluster.timeout_s=1")
