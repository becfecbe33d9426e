"""Few operations: what a line asks of GKE, counted on the stand-in's list."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Operator, new_operator

CLUSTER = "/v1/projects/rehearsal-project/locations/us-central1/clusters/rehearsal"
OPERATIONS = "/v1/projects/rehearsal-project/locations/us-central1/operations"
FEATURES = "2.3.1,2.3.2,2.3.3,2.3.4"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    yield from new_operator(tmp_path_factory.mktemp("home"))


@pytest.fixture
def existing(operator: Operator) -> Operator:
    """An operator whose cluster has every feature off, and a reserved node pool without Workload Identity."""
    assert operator.inv("rehearsal.scenario", "existing-cluster").code == 0
    operator.forget_requests()
    return operator


def operations(operator: Operator) -> list[str]:
    """The operations that were started."""
    found = operator.google("GET", OPERATIONS).get("operations", [])
    return [operation["operationType"] for operation in found]


def test_four_features_that_are_off_take_three_updates(existing: Operator) -> None:
    before = len(operations(existing))
    ended = existing.inv("step", FEATURES, "--yes")
    assert ended.code == 0, ended.out
    assert existing.writes().count(f"PUT {CLUSTER}") == 3
    started = operations(existing)[before:]
    assert started.count("UPDATE_CLUSTER") == 3
    assert started.count("UPGRADE_NODES") == 2, "the node pool: surge, then metadata mode"
    existing.forget_requests()
    again = existing.inv("step", FEATURES)
    assert again.recap == {"ok": 4, "changed": 0, "skipped": 0, "failed": 0}
    assert existing.writes() == []


def test_addons_that_share_an_update_are_both_named_and_planned(existing: Operator) -> None:
    checked = existing.inv("step", FEATURES, "--check")
    assert checked.code == 2, checked.out
    assert checked.status("2.3.2") == "would change"
    assert checked.status("2.3.4") == "ok"
    assert checked.out.count("--update-addons=HttpLoadBalancing=ENABLED,GcsFuseCsiDriver=ENABLED") == 1
    for field in (
        "httpLoadBalancing.disabled: true -> false",
        "gcsFuseCsiDriverConfig.enabled: false -> true",
    ):
        assert checked.out.count(f"cluster/rehearsal.addonsConfig.{field}") == 1


def test_a_step_alone_changes_its_own_addon_only(existing: Operator) -> None:
    ended = existing.inv("step", "2.3.2")
    assert ended.code == 0, ended.out
    addons = existing.google("GET", CLUSTER)["addonsConfig"]
    assert not addons["httpLoadBalancing"].get("disabled")
    assert "gcsFuseCsiDriverConfig" not in addons
    assert existing.writes() == [f"PUT {CLUSTER}"]


@pytest.mark.slow
def test_the_addon_that_is_off_alone_is_its_own_steps_change(existing: Operator) -> None:
    assert existing.inv("step", "2.3.2").code == 0
    checked = existing.inv("step", "2.3.2,2.3.4", "--check")
    assert checked.status("2.3.2") == "ok"
    assert checked.status("2.3.4") == "would change"


def test_a_new_cluster_and_its_node_pool_are_two_operations(operator: Operator) -> None:
    assert operator.inv("rehearsal.scenario", "empty").code == 0
    operator.forget_requests()
    ended = operator.inv("setup", "--tags", "gke")
    assert ended.code == 0, ended.out
    assert operations(operator) == ["CREATE_CLUSTER", "CREATE_NODE_POOL"]
    assert [entry for entry in operator.writes() if "/clusters" in entry] == [
        f"POST {CLUSTER.rpartition('/')[0]}",
        f"POST {CLUSTER}/nodePools",
    ]


@pytest.mark.slow
def test_gke_goes_on_by_itself_after_a_create_and_the_line_waits_for_it(operator: Operator) -> None:
    for scenario in ("empty", "busy-after-create"):
        assert operator.inv("rehearsal.scenario", scenario).code == 0
    operator.forget_requests()
    ended = operator.inv("setup", "--tags", "gke", "--verbose")
    assert ended.code == 0, ended.out
    assert re.search(r"operation-[\w-]+ \(UPGRADE_MASTER\) RUNNING", ended.out + ended.error)
    assert operations(operator) == ["CREATE_CLUSTER", "UPGRADE_MASTER", "CREATE_NODE_POOL"]
    assert len([entry for entry in operator.writes() if "/clusters" in entry]) == 2


@pytest.mark.slow
def test_the_metadata_mode_needs_a_yes(existing: Operator) -> None:
    ended = existing.inv("step", "2.3.1")
    assert ended.code == 1
    assert "what runs on the nodes of tpu7x-pool: GKE makes them anew for this" in ended.out
    assert "--yes" in ended.out
