"""The line COST: what bills as a line leaves it, in a plan, after a run, and after a teardown.

Every price here is made up, in a currency that is none (XTS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Ended, Operator, new_operator

PRICES = (
    "prices.currency=XTS",
    "prices.tpu_machine=1000",
    "prices.system_machine=20",
    "prices.cluster=3",
    "prices.storage_gib_month=730000",
)
SETTINGS = [word for price in PRICES for word in ("--set", price)]
CLUSTER = "cluster rehearsal (management fee)"
SYSTEM = "node pool default-pool (1 x e2-standard-8)"
TPU = "node pool tpu7x-pool (1 x tpu7x-standard-4t)"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    yield from new_operator(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    for operator in new_operator(tmp_path_factory.mktemp("home")):
        assert operator.inv("setup").code == 0
        yield operator


def cost(ended: Ended) -> str:
    """The line COST, which stands before the last one."""
    *_, line, recap = ended.out.strip().splitlines()
    assert recap.startswith("RECAP"), ended.out + ended.error
    assert line.startswith("COST "), ended.out
    return line


def test_a_plan_names_what_will_bill_without_figures(empty: Operator) -> None:
    line = cost(empty.inv("setup", "--check"))
    assert "after a run: billed while it is there (no prices are set)" in line
    for thing in (CLUSTER, SYSTEM, TPU, "bucket rehearsal-models (25 objects, 3.2 MiB)"):
        assert thing in line
    assert "a rehearsal: nothing is billed" in line
    assert "XTS" not in line


def test_a_plan_says_what_it_would_cost_an_hour(empty: Operator) -> None:
    line = cost(empty.inv("setup", "--check", *SETTINGS))
    total = re.search(r"after a run: ([\d.]+) XTS an hour: ", line)
    assert total, line
    bucket = re.search(r"bucket rehearsal-models \([^)]*\) ([\d.]+)", line)
    assert bucket, line
    assert float(total[1]) == pytest.approx(1000 + 20 + 3 + float(bucket[1]), abs=0.02)
    assert f"{TPU} 1000.00" in line
    assert float(bucket[1]) == pytest.approx(1000 * 3.2 / 1024, rel=0.05)


@pytest.mark.slow
def test_what_has_no_price_is_named_all_the_same(empty: Operator) -> None:
    line = cost(empty.inv("setup", "--check", *SETTINGS[:4]))
    assert "1000.00 XTS an hour: node pool tpu7x-pool" in line
    assert f"and without a price: {CLUSTER}, {SYSTEM}, bucket" in line


def test_a_run_says_what_goes_on_costing(running: Operator) -> None:
    line = cost(running.inv("setup", *SETTINGS))
    assert "after a run" not in line
    assert f"{SYSTEM} 20.00" in line


def test_clean_up_says_that_the_cluster_stays(running: Operator) -> None:
    line = cost(running.inv("cleanup", *SETTINGS))
    assert line.startswith("COST   1023.00 XTS an hour: ")


def test_an_exposed_server_bills_its_address(empty: Operator) -> None:
    exposed = ("--set", "server.expose=internal", "--set", "prices.load_balancer=5")
    line = cost(empty.inv("setup", "deploy", "--check", *SETTINGS, *exposed))
    assert "load balancer of Service vllm-service (internal) 5.00" in line


@pytest.mark.slow
def test_a_run_that_fails_says_what_already_costs(tmp_path_factory: pytest.TempPathFactory) -> None:
    for operator in new_operator(tmp_path_factory.mktemp("home")):
        assert operator.inv("rehearsal.scenario", "reservation-short").code == 0
        ended = operator.inv("setup", *SETTINGS)
        assert ended.code == 1
        assert f"{CLUSTER} 3.00, {SYSTEM} 20.00" in cost(ended)
        assert TPU not in cost(ended)


@pytest.mark.slow
def test_the_page_of_a_run_lists_it(running: Operator) -> None:
    assert running.inv("setup", *SETTINGS).code == 0
    page = Path(running.inv("report").out.strip()).read_text()
    assert "as this run left it" in page
    assert "1000.00 XTS an hour" in page


@pytest.mark.slow
def test_autopilot_bills_what_pods_ask_for(empty: Operator) -> None:
    line = cost(empty.inv("setup", "--check", "--set", "cluster.mode=autopilot", *SETTINGS))
    assert f"{CLUSTER} 3.00" in line
    assert "without a price: Pods of cluster rehearsal (Autopilot bills what they ask for)" in line
    assert "node pool" not in line


def test_a_step_that_makes_nothing_that_bills_says_nothing_of_it(running: Operator) -> None:
    ended = running.inv("step", "2.1,3.3")
    assert ended.code == 0
    assert "COST" not in ended.out


def test_json_has_an_event_of_its_own_before_the_end(running: Operator) -> None:
    *_, known, ended = running.json_lines("step", "2.2", "--json", *SETTINGS)
    assert (known["event"], ended["event"]) == ("cost_known", "run_ended")
    assert (known["hourly"], known["currency"], known["unread"]) == (1023.0, "XTS", [])
    assert known["bills"][0] == {"resource": "cluster rehearsal", "detail": "management fee", "hourly": 3.0}


def test_prices_without_a_currency_are_warned_of(empty: Operator) -> None:
    ended = empty.inv("setup", "--check", "--set", "prices.cluster=3")
    assert "prices.currency is not set" in ended.out
    assert "COST   after a run: 3.00 an hour: " in ended.out


@pytest.mark.slow
def test_a_teardown_names_what_goes_on_costing(tmp_path_factory: pytest.TempPathFactory) -> None:
    for operator in new_operator(tmp_path_factory.mktemp("home")):
        assert operator.inv("setup").code == 0
        plan = operator.inv("teardown", "--check", *SETTINGS)
        assert "node pool" not in cost(plan)
        assert "bucket rehearsal-models" in cost(plan)
        done = operator.inv("teardown", "--yes", *SETTINGS)
        assert cost(done).startswith("COST   3.1")
        remains = next(line for line in done.out.splitlines() if line.startswith("6.6 "))
        assert "still costs: bucket rehearsal-models (25 objects, 3.2 MiB) 3.1" in remains
        assert "the reservation rehearsal-reservation is paid for whether or not it is used" in remains
        named = ("--set", "teardown.bucket=rehearsal-models")
        assert "nothing that these steps look after costs money" in cost(
            operator.inv("teardown", "--yes", *named)
        )
