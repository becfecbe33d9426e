"""Each error of the GKE API: what the real gcloud shows, and the one cause, place and remedy of a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.guide_by_hand.guide import CREATE_CLUSTER, CREATE_NODE_POOL, GATEWAY_API
from tests.guide_by_hand.typed import Typist, typist_at

pytestmark = [pytest.mark.clients, pytest.mark.slow]

CLUSTER = "projects/rehearsal-project/locations/us-central1/clusters/rehearsal"
POOL = f"{CLUSTER}/nodePools/tpu7x-pool"
SHORT = (
    "Reservation does not have enough resources for the request: specific reservation "
    '"rehearsal-reservation" is insufficient for node pool "tpu7x-pool" at zone "us-central1-c": required 1 '
    "and short of 1 VM count of machine type tpu7x-standard-4t."
)
STOCKOUT = (
    "Google Compute Engine: [GCE_STOCKOUT]: The zone 'projects/rehearsal-project/zones/us-central1-c' does "
    "not have enough resources available to fulfill the request. Try a different zone, or try again later."
)
PERMISSION = f'Required "container.clusters.update" permission(s) for "{CLUSTER}".'


@dataclass(frozen=True)
class Case:
    """One error.

    Args:
        scenario: the state that the stand-in is put into.
        command: typed into gcloud.
        gcloud: what it shows.
        step: run for the same error; empty where no step meets it.
        error: what the step says.
        fix: of the step's remedy.
        before: what must be done first, for the API to get as far as this error.
        fault: what is to go wrong.
    """

    scenario: str
    command: str
    gcloud: str
    step: str = ""
    error: str = ""
    fix: str = ""
    before: str = ""
    fault: dict[str, Any] | None = None


CASES = {
    "404": Case(
        "empty",
        GATEWAY_API,
        f"ResponseError: code=404, message=Not found: {CLUSTER}.",
        "2.3.3",
        "cluster rehearsal in us-central1 is not there",
        "step 2.2 supplies it: inv step 2.2",
    ),
    "409": Case(
        "existing-cluster", CREATE_CLUSTER, f"ResponseError: code=409, message=Already exists: {CLUSTER}."
    ),
    "403": Case(
        "existing-cluster",
        GATEWAY_API,
        f"PERMISSION_DENIED: {PERMISSION}",
        "2.3.3",
        PERMISSION.rstrip("."),
        "--role=roles/container.admin",
        fault={"method": "PUT", "status": 403, "message": PERMISSION},
    ),
    "operation error": Case(
        "existing-cluster",
        GATEWAY_API,
        "finished with error: Internal trouble.",
        "2.3.3",
        "(UPDATE_CLUSTER) ended with an error: Internal trouble.",
        fault={"kind": "operation_error", "method": "PUT", "message": "Internal trouble."},
    ),
    "reservation is short": Case(
        "existing-cluster",
        CREATE_NODE_POOL.replace("${NODEPOOL_NAME}", "second"),
        f"ResponseError: code=429, message={SHORT}",
        "2.4",
        SHORT.rstrip("."),
        "free a machine of the reservation, enlarge it, or choose another node_pool.reservation or "
        "node_pool.capacity, and run the same line again",
        fault={"method": "POST", "path": "/nodePools", "status": 429, "message": SHORT},
    ),
    "no machines": Case(
        "existing-cluster",
        CREATE_NODE_POOL.replace("${NODEPOOL_NAME}", "second"),
        f"finished with error: {STOCKOUT}",
        "2.4",
        STOCKOUT,
        "`inv step 6.2` deletes the node pool that is left in ERROR; then run the same line again later, "
        "or choose another zone, or node_pool.capacity flex-start, which waits for machines",
        before="2.3.1",
        fault={"kind": "operation_error", "method": "POST", "path": "/nodePools", "message": STOCKOUT},
    ),
    "503": Case(
        "existing-cluster",
        GATEWAY_API,
        "UNAVAILABLE: The service is currently unavailable.",
        fault={"method": "PUT", "status": 503},
    ),
}


@pytest.fixture(scope="module")
def typist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typist]:
    with typist_at(tmp_path_factory.mktemp("errors")) as opened:
        yield opened


def prepare(typist: Typist, case: Case) -> None:
    """Put the stand-in into the case's state."""
    assert typist.operator.inv("rehearsal.scenario", case.scenario).code == 0
    assert not case.before or typist.operator.inv("step", case.before, "--yes").code == 0
    if case.fault:
        typist.operator.google("POST", "/_rehearsal/faults", {"api": "container", "times": 9} | case.fault)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_gcloud_shows_the_apis_own_words(typist: Typist, case: Case) -> None:
    prepare(typist, case)
    ended = typist.types(case.command)
    assert ended.returncode == 1
    assert case.gcloud in ended.stderr


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.step])
def test_a_step_says_one_cause_place_and_remedy(typist: Typist, name: str) -> None:
    case = CASES[name]
    prepare(typist, case)
    second = ("--set", "node_pool.name=second", "--set", "cluster.gateway_api=true")
    ended = typist.operator.inv("step", case.step, *second)
    assert ended.code == 1, ended.out
    assert next(line for line in ended.out.splitlines() if "error: " in line).endswith(case.error)
    places = [line for line in ended.out.splitlines() if line.startswith("         at: ")]
    assert len(places) == (0 if name == "404" else 1)
    assert case.fix in ended.out.partition("fix: ")[2]


def test_a_busy_cluster_is_an_error_of_gcloud_and_a_wait_of_a_step(typist: Typist) -> None:
    assert typist.operator.inv("rehearsal.scenario", "existing-cluster").code == 0
    busy = "/_rehearsal/scenarios/busy-cluster"
    names = {"project": "rehearsal-project", "cluster": "rehearsal"}
    operation = typist.operator.google("POST", busy, names | {"seconds": 8})
    ended = typist.types(GATEWAY_API)
    assert "FAILED_PRECONDITION: Cluster is running incompatible operation operation-" in ended.stderr
    waited = typist.operator.inv("step", "2.3.3", "--verbose")
    assert waited.code == 0, (waited.out, operation)
    assert "(UPGRADE_MASTER) RUNNING" in waited.out + waited.error


def test_429_is_retried_by_gcloud_without_a_word(typist: Typist) -> None:
    assert typist.operator.inv("rehearsal.scenario", "existing-cluster").code == 0
    fault = {"api": "container", "method": "PUT", "status": 429, "message": "Quota exceeded.", "times": 1}
    typist.operator.google("POST", "/_rehearsal/faults", fault)
    ended = typist.types(GATEWAY_API)
    assert ended.returncode == 0, ended.stderr
    assert "Quota" not in ended.stderr
    assert [entry["status"] for entry in typist.operator.requests() if entry["method"] == "PUT"] == [429, 200]
