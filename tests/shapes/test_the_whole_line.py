"""The whole guide, from nothing to a completion and back, on clusters of other shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Operator, new_operator

HOST = "projects/host-project"
SHAPES = {
    "Autopilot, reached by its DNS name": (
        "cluster.mode=autopilot",
        "cluster.endpoint=dns",
    ),
    "zonal and private, in a shared VPC, on another project's reservation": (
        "cluster.location=us-central1-c",
        "cluster.endpoint=private",
        f"cluster.network={HOST}/global/networks/shared",
        f"cluster.subnetwork={HOST}/regions/us-central1/subnetworks/tpus",
        "cluster.pod_range=pods",
        "cluster.service_range=services",
        "node_pool.reservation=projects/owner-project/reservations/shared",
    ),
}


def set_to(settings: tuple[str, ...]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


@pytest.mark.slow
@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES.keys())
def test_it_is_set_up_answers_stays_as_it_is_and_goes(tmp_path: Path, settings: tuple[str, ...]) -> None:
    for operator in new_operator(tmp_path):
        made = operator.inv("setup", "deploy", "smoke", *set_to(settings))
        assert made.code == 0, made.out + made.error
        assert_nothing_is_left_to_do(operator, settings)
        gone = operator.inv(
            "teardown", "--yes", *set_to(settings), "--set", "teardown.bucket=rehearsal-models"
        )
        assert gone.code == 0, gone.out + gone.error


def assert_nothing_is_left_to_do(operator: Operator, settings: tuple[str, ...]) -> None:
    operator.forget_requests()
    again = operator.inv("setup", "deploy", *set_to(settings))
    assert (again.code, again.recap["changed"]) == (0, 0), again.out
    assert operator.writes() == []


@pytest.mark.slow
def test_nodes_that_autopilot_made_are_there_after_a_restart(tmp_path: Path) -> None:
    settings = set_to(("cluster.mode=autopilot",))
    for operator in new_operator(tmp_path):
        assert operator.inv("setup", "deploy", *settings).code == 0
        assert operator.inv("rehearsal.down", "rehearsal.up").code == 0
        again = operator.inv("setup", "deploy", *settings)
        assert (again.code, again.recap["changed"]) == (0, 0), again.out
