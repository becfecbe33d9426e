from __future__ import annotations

import threading

import pytest

from runbook.engine.change import StepResult
from runbook.engine.errors import FailedError
from runbook.engine.events import StepStarted
from runbook.engine.need import Need
from runbook.engine.outcome import Status
from runbook.engine.plan import Selection, plan
from runbook.engine.playbook import StepSpec
from tests.engine.conftest import PLACE


def failing(here) -> StepResult:
    raise FailedError("it broke")
    yield


def test_steps_whose_needs_are_met_overlap(line):
    meeting = threading.Barrier(2, timeout=10)

    def meet(here) -> StepResult:
        meeting.wait()
        return "met"
        yield

    assert line.play({"2.4": meet, "3.2": meet}, {"2.4": [], "3.2": []}) == 0


def test_a_step_without_needs_waits_for_all_before_it_and_holds_all_after_it(line):
    order = []

    def note(name: str):
        def step(here) -> StepResult:
            order.append(name)
            return name
            yield

        return step

    line.play({"a": note("a"), "barrier": note("barrier"), "b": note("b")}, {"a": [], "b": []})
    assert order == ["a", "barrier", "b"]


def test_a_failure_holds_back_what_needs_it_and_nothing_else(line):
    steps = {"1": failing, "2": line.ensure("needs 1"), "3": line.ensure("needs 2"), "4": line.ensure("free")}
    assert line.play(steps, {"1": [], "2": ["1"], "3": ["2"], "4": []}) == 1
    assert line.outcomes["2"].reason == "needs 1, which failed"
    assert line.outcomes["3"].reason == "needs 2, which did not run"
    assert line.outcomes["4"].status is Status.CHANGED
    assert line.writes == ["free"]


def test_outcomes_stand_in_playbook_order(line):
    slow = threading.Event()

    def first(here) -> StepResult:
        slow.wait(10)
        return "late"
        yield

    def second(here) -> StepResult:
        slow.set()
        return "early"
        yield

    line.play({"1": first, "2": second}, {"1": [], "2": []})
    assert list(line.outcomes) == ["1", "2"]


def test_a_step_that_is_left_out_hands_its_needs_on(line):
    steps = {"1": failing, "2": line.ensure("left out"), "3": line.ensure("last")}
    line.play(steps, {"1": [], "2": ["1"], "3": ["2"]}, selection=Selection(skip_tags=frozenset({"x"})))
    assert line.outcomes["3"].status is Status.SKIPPED


def test_start_at_leaves_out_the_steps_before(line):
    steps = {"1": line.ensure("a"), "2": line.ensure("b")}
    assert line.play(steps, selection=Selection(start_at="2")) == 0
    assert line.writes == ["b"]


def test_an_interruption_ends_waits_at_once_and_starts_nothing_more(line):
    def wait(here) -> StepResult:
        line.interruption.request()
        here.pause(60)
        return "never"
        yield

    assert line.play({"1": wait, "2": line.ensure("later")}) == 1
    assert line.outcomes["1"].reason == "interrupted"
    assert line.outcomes["2"].reason == "interrupted"
    assert line.writes == []


WHERE_IN_CLUSTER = {"load": [Need("grant", PLACE, "where == 'cluster'")], "grant": []}


def test_a_need_counts_only_where_its_condition_holds(line):
    steps = {"load": line.ensure("loaded"), "grant": line.ensure("granted")}
    line.play(steps, WHERE_IN_CLUSTER, parallel=1, variables={"where": "cluster"})
    assert line.writes == ["granted", "loaded"]


def test_a_need_whose_condition_is_false_holds_nothing_back(line):
    steps = {"load": line.ensure("loaded"), "grant": failing}
    line.play(steps, WHERE_IN_CLUSTER, variables={"where": "local"})
    assert line.writes == ["loaded"]


def test_a_step_is_announced_with_the_needs_that_count(line):
    def announced(where):
        line.events.clear()
        line.play(
            {"load": line.ensure("a"), "grant": line.ensure("b")},
            WHERE_IN_CLUSTER,
            variables={"where": where},
        )
        started = [event.step for event in line.events if isinstance(event, StepStarted)]
        return {step.section: list(step.needs) for step in started}

    assert announced("local") == {"load": [], "grant": []}
    assert announced("cluster") == {"grant": [], "load": ["grant"]}


@pytest.mark.parametrize("selection", [Selection(), Selection(skip_tags=frozenset({"barrier"}))])
def test_a_need_behind_a_later_barrier_is_not_waited_for_as_the_barrier_waits_for_the_step(selection):
    def step(section, needs, *tags):
        return StepSpec(section, section, "small.step", {}, None, tags, needs, 0, "small", PLACE)

    needs = [Need("before", PLACE), Need("barrier", PLACE), Need("behind", PLACE)]
    steps = [step("load", needs), step("before", []), step("barrier", None, "barrier"), step("behind", [])]
    planned = {entry.spec.section: entry.needs for entry in plan(steps, selection, {})}
    assert planned["load"] == ("before",)
    assert "load" in planned["behind"] or "load" in planned["barrier"]


def test_a_step_that_is_left_out_hands_on_the_needs_that_count(line):
    steps = {"left out": failing, "grant": failing, "serve": line.ensure("served")}
    needs = {"left out": [Need("grant", PLACE, "where == 'cluster'")], "grant": [], "serve": ["left out"]}
    for where, writes in (("cluster", []), ("local", ["served"])):
        line.play(steps, needs, selection=Selection(start_at="grant"), variables={"where": where})
        assert line.writes == writes
