"""Each command that a run tells is in the written runbook, in the section of its step.

Both are compared as what a shell makes of them: the argv of each program that runs. The values that only the
cloud knows are those of the run.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace

import pytest

from runbook.engine.shell import shell_text
from tests.acceptance.conftest import Operator
from tests.runbook_page.conftest import PROJECT_NUMBER, WritingShell
from tests.runbook_page.markdown_page import sections

REPOSITORY = "rehearsal/gpt-oss-tiny"


def commit(operator: Operator) -> str:
    """The commit of the rehearsal's model, as a run resolves `main`; it is the same in every rehearsal."""
    events = operator.inv("step", "3.1,3.2.3", "--check", "--json").out
    words = next(
        event["change"]["command"]
        for event in map(json.loads, events.splitlines())
        if event["event"] == "change_begun" and event["step"]["section"] == "3.2.3"
    )
    return words[2].partition("--revision ")[2].split()[0]


def told(operator: Operator, *line: str) -> dict[str, list[list[str]]]:
    """The commands that a line tells, of changes and actions, by section."""
    ended = operator.inv(*line, "--json")
    assert ended.code in {0, 2}, ended.out
    found = defaultdict(list)
    for event in map(json.loads, ended.out.splitlines()):
        command = (event.get("change") or event).get("command")
        if command:
            found[event["step"]["section"]].append(command)
    return found


def argvs(shell: WritingShell, commands: list[list[str]]) -> list[list[str]]:
    return [argv for command in commands for argv in shell.argvs(shell_text(command))]


def written(operator: Operator, shell: WritingShell, *settings: str) -> dict[str, list[list[str]]]:
    """What a shell makes of the blocks to do and to check, by section."""
    page = sections(operator.inv("runbook", *settings).out)
    return {
        number: [*shell.argvs(section.blocks.get("do", "")), *shell.argvs(section.blocks.get("Check", ""))]
        for number, section in page.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "guarded",
    [
        pytest.param(False, id="as shipped", marks=pytest.mark.slow),
        pytest.param(True, id="with a key, in a namespace of its own"),
    ],
)
def test_of_setup_deploy_smoke_and_bench(operator, writing_shell, tmp_path, guarded):
    settings = ["--set", f"checkpoint.revision={commit(operator)}"]
    if guarded:
        key = tmp_path / "key"
        key.write_text("the-servers-own-key")
        key.chmod(0o600)
        settings += ["--set", f"server.api_key={{file: {key}}}", "--set", "kube.namespace=serving"]
    done = told(operator, "setup", "deploy", "smoke", "bench", *settings)
    assert {"2.2", "2.4", "3.1", "3.2.2", "3.2.3", "3.3", "4.1", "4.3", "4.4", "4.5", "5.1", "5.2"} == set(
        done
    )
    job = done["5.2"][0][3].removeprefix("job/")
    shell = replace(writing_shell, answers={"PROJECT_NUMBER": PROJECT_NUMBER, "JOB": job})
    page = written(operator, shell, *settings)
    for section, commands in done.items():
        for argv in argvs(shell, commands):
            assert argv in page[section], section


@pytest.mark.slow
def test_of_teardown(operator, writing_shell):
    assert operator.inv("setup", "deploy", "bench").code == 0
    settings = ["--set", "teardown.bucket=rehearsal-models"]
    planned = told(operator, "teardown", "--check", *settings)
    assert set(planned) == {"6.1", "6.2", "6.3", "6.4", "6.5"}
    page = written(operator, writing_shell, *settings)
    deleted = [named_by_kind(argv) for argv in argvs(writing_shell, planned.pop("6.1"))]
    assert deleted == [argv for argv in map(named_by_kind, page["6.1"]) if argv in deleted]
    for section, commands in planned.items():
        for argv in argvs(writing_shell, commands):
            assert argv in page[section], section


def named_by_kind(argv: list[str]) -> list[str]:
    """Name what `kubectl delete` deletes by its kind alone: a run knows the names, the page the labels."""
    program, verb, *words = argv
    kinds = sorted({word.partition("/")[0] for word in words if not word.startswith("-")})
    flags = [word for word in words if word.startswith("-") and not word.startswith("--selector=")]
    return [program, verb, *kinds, *flags]
