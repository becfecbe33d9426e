"""What bills of a cluster, by the shapes that a cluster has; and what is added up."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.config.load import load
from runbook.engine.bill import Bill, distinct, total
from runbook.engine.events import CostKnown
from runbook.report.lines import cost
from runbook.steps.gke.bills import pool_bill
from tests.manifests.conftest import ROOT

PRICES = ("prices.tpu_machine=1000", "prices.system_machine=20")
TPU = {"machineType": "tpu7x-standard-4t"}


@pytest.mark.parametrize(
    ("pool", "detail", "hourly"),
    [
        ({"initialNodeCount": 1, "locations": ["a"], "config": TPU}, "1 x tpu7x-standard-4t", 1000.0),
        (
            {"initialNodeCount": 2, "locations": ["a", "b", "c"], "config": TPU},
            "6 x tpu7x-standard-4t",
            6000.0,
        ),
        (
            {
                "initialNodeCount": 0,
                "locations": ["a"],
                "config": TPU,
                "autoscaling": {"enabled": True, "maxNodeCount": 1},
            },
            "up to 1 x tpu7x-standard-4t",
            1000.0,
        ),
        (
            {
                "locations": ["a", "b"],
                "config": {"machineType": "e2-standard-8"},
                "autoscaling": {"enabled": True, "totalMaxNodeCount": 3},
            },
            "up to 3 x e2-standard-8",
            60.0,
        ),
        ({"initialNodeCount": 3, "config": {"machineType": "e2-medium"}}, "3 x e2-medium", None),
        (
            {"initialNodeCount": 1, "config": TPU, "status": "ERROR"},
            "up to 1 x tpu7x-standard-4t, ERROR",
            1000.0,
        ),
    ],
)
def test_machines_are_counted_in_all_zones(pool: dict[str, Any], detail: str, hourly: float | None) -> None:
    variables = load(ROOT, "rehearsal", PRICES, {}).variables
    assert pool_bill(variables, {"name": "some", **pool}) == Bill("node pool some", detail, hourly)


def test_a_thing_that_two_steps_name_is_one_thing() -> None:
    bills = [
        Bill("bucket a", "1 object", 1),
        Bill("cluster b", "fee", None),
        Bill("bucket a", "2 objects", 2),
    ]
    assert distinct(bills) == (bills[2], bills[1])
    assert total(distinct(bills)) == 2
    assert total(bills[1:2]) is None


@pytest.mark.parametrize(
    ("hourly", "text"), [(0.0, "0.00"), (0.004, "under 0.01"), (0.014, "0.01"), (12.5, "12.50")]
)
def test_amounts_have_cents(hourly: float, text: str) -> None:
    known = CostKnown([Bill("bucket a", "", hourly)], hourly, "XTS", "", [])
    line = cost(known, check=False)
    assert line == f"COST   {text} XTS an hour: bucket a {text}  (only what these steps look at)"


def test_what_could_not_be_read_is_said() -> None:
    known = CostKnown([], None, "", "", ["2.2", "2.4"])
    assert cost(known, check=False).endswith("(only what these steps look at; not read: 2.2, 2.4)")
