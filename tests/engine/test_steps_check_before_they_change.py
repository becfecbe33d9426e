from __future__ import annotations

import threading

from runbook.engine.change import UNKNOWN, Action, Change, Difference, Skip, StepResult
from runbook.engine.errors import MissingError, PassingError, UnknownUntil
from runbook.engine.events import ChangeBegun
from runbook.engine.facts import Facts
from runbook.engine.outcome import Status


def test_a_difference_is_mended_and_the_second_run_finds_none(line):
    steps = {"1": line.ensure("cluster")}
    assert line.play(steps) == 0
    assert line.outcomes["1"].status is Status.CHANGED
    assert line.play(steps) == 0
    assert line.outcomes["1"].status is Status.OK
    assert line.writes == ["cluster"]


def test_check_mode_plans_the_same_changes_and_writes_nothing(line):
    steps = {"1": line.ensure("cluster"), "2": line.ensure("pool")}
    assert line.play(steps, check=True) == 2
    planned = [
        (item.path, item.after) for step in line.outcomes.values() for item in step.changes[0].differences
    ]
    assert line.writes == []
    line.play(steps)
    done = [
        (item.path, item.after) for step in line.outcomes.values() for item in step.changes[0].differences
    ]
    assert planned == done


def test_a_later_step_plans_against_what_an_earlier_one_would_make(line):
    def feature(here) -> StepResult:
        cluster = here.facts.read(("cluster",), lambda: line.world.get("cluster"))
        return f"feature comes with {cluster}"
        yield

    assert line.play({"2.2": line.ensure("cluster", "demo"), "2.3": feature}, check=True) == 2
    assert line.outcomes["2.3"].status is Status.OK
    assert line.outcomes["2.3"].reason == "feature comes with demo"


def test_what_only_the_real_change_brings_is_unknown_until_then(line):
    def create(here) -> StepResult:
        found = here.facts.read(("cluster",), lambda: line.world.get("cluster"))
        if not found:
            yield Change(
                [Difference("cluster", None, "demo")],
                ["create"],
                lambda: line.write("cluster", "demo"),
                planned={("cluster",): "demo", ("endpoint",): UNKNOWN},
            )
        return "there"

    def use(here) -> StepResult:
        here.facts.read(("endpoint",), lambda: "1.2.3.4")
        return "reached"
        yield

    assert line.play({"2.2": create, "4.1": use}, check=True) == 2
    assert line.outcomes["4.1"].status is Status.UNKNOWN
    assert line.outcomes["4.1"].reason == "2.2"


def test_actions_are_not_done_in_check_mode_and_are_no_change(line):
    def wait(here) -> StepResult:
        yield Action("wait", lambda: line.write("waited", True))
        return "ready"

    assert line.play({"1": wait}, check=True) == 0
    assert line.writes == []
    assert line.play({"1": wait}) == 0
    assert line.outcomes["1"].status is Status.OK
    assert line.writes == ["waited"]


def test_a_step_that_still_differs_after_its_change_has_failed(line):
    def stubborn(here) -> StepResult:
        yield Change([Difference("replicas", 0, 1)], ["scale"], lambda: None)
        return "scaled"

    assert line.play({"1": stubborn}) == 1
    assert "still not as it should be: replicas" in line.outcomes["1"].reason


def test_a_loss_that_is_not_confirmed_is_not_done(line):
    line.confirms = False
    assert line.play({"1": line.ensure("gone", loss="all Nodes of the pool")}) == 1
    assert line.outcomes["1"].reason == "not confirmed: all Nodes of the pool"
    assert line.writes == []


def test_what_is_missing_names_the_step_that_supplies_it(line):
    def needs_cluster(here) -> StepResult:
        raise MissingError("cluster demo is not there", supplied_by="small.step")
        yield

    assert line.play({"2.2": line.ensure("cluster"), "4.1": needs_cluster}, {"2.2": [], "4.1": []}) == 1
    assert line.outcomes["4.1"].error.remedy == "step 2.2 supplies it: inv step 2.2"


def test_a_passing_failure_is_tried_again(line):
    calls = []

    def flaky(here) -> StepResult:
        calls.append(1)
        if len(calls) < 3:
            raise PassingError("busy", retry_after=0.01)
        return "reached"
        yield

    assert line.play({"1": flaky}, retries=2) == 0
    assert len(calls) == 3


def test_a_skipped_step_says_why(line):
    def elsewhere(here) -> StepResult:
        return Skip("GKE only")
        yield

    assert line.play({"1": elsewhere}) == 0
    assert line.outcomes["1"].status is Status.SKIPPED
    assert line.outcomes["1"].reason == "GKE only"


def test_reads_are_shared_until_something_is_written(line):
    reads = []

    def reader(here) -> StepResult:
        here.facts.read(("cluster", "demo"), lambda: reads.append(1))
        return "read"
        yield

    def writer(here) -> StepResult:
        if not line.world.get("w"):
            yield Change(
                [Difference("w", None, 1)], ["w"], lambda: line.write("w", 1), {("cluster",): UNKNOWN}
            )
        return "written"

    line.play({"1": reader, "2": reader, "3": writer, "4": reader})
    assert len(reads) == 2


def test_changes_are_told_before_they_are_made(line):
    line.play({"1": line.ensure("cluster")})
    assert [event.change.command for event in line.events if isinstance(event, ChangeBegun)] == [
        ["set", "cluster"]
    ]


def test_a_defect_of_one_step_is_told_and_ends_no_other(line):
    def broken(here) -> StepResult:
        raise ZeroDivisionError("division by zero")
        yield

    assert line.play({"1": broken, "2": line.ensure("other")}, {"1": [], "2": []}) == 1
    assert line.outcomes["1"].reason == "a defect of this step: ZeroDivisionError: division by zero"
    assert "in broken" in line.outcomes["1"].error.trace
    assert line.outcomes["2"].status is Status.CHANGED


def test_a_read_that_began_before_a_change_is_not_kept_after_it():
    facts = Facts()
    begun, changed = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        changed.wait(10)
        return "before the change"

    reader = threading.Thread(target=lambda: facts.read(("cluster", "demo"), slow))
    reader.start()
    begun.wait(10)
    facts.forget(("cluster",))
    changed.set()
    reader.join()
    assert facts.read(("cluster", "demo"), lambda: "after the change") == "after the change"


def test_what_is_unknown_until_a_module_has_run_names_its_section(line):
    def later(here) -> StepResult:
        raise UnknownUntil("small.step")
        yield

    line.play({"2.2": line.ensure("cluster"), "4.1": later}, check=True)
    assert line.outcomes["4.1"].reason == "2.2"
