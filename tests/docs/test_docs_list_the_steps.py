from __future__ import annotations

import json
import re

import pytest

from runbook.cli.catalogue import load_playbooks
from runbook.engine.playbook import all_steps
from tests.docs.blocks import Command
from tests.docs.conftest import ROOT

TEXT = (ROOT / "docs" / "steps.md").read_text()
TRAPS = (ROOT / "docs" / "traps.md").read_text()
ROW = re.compile(r"^\| (\d[\d.]*) \| ([^|]+) \| `([\w.]+)` \| ([^|]*)\| ([^|]*)\|$", re.MULTILINE)
NUMBER = re.compile(r"\bD\d+\b")
GUIDE = ("setup", "deploy", "smoke", "bench", "cleanup", "teardown", "rollback", "sweep")


def documented():
    """Map each section of the table to what its command column holds in backticks."""
    return {row[0]: re.findall(r"`([^`]+)`", row[3]) for row in ROW.findall(TEXT)}


def test_the_table_is_the_playbooks():
    playbooks = [playbook for playbook in load_playbooks(ROOT) if playbook.name in GUIDE]
    assert [row[:3] for row in ROW.findall(TEXT)] == [
        (step.section, step.name, step.uses) for step in all_steps(playbooks)
    ]


def test_every_trap_of_the_guide_is_closed_by_a_step():
    explained = re.findall(r'^\| <a id="d\d+"></a>(D\d+) \|', TRAPS, re.MULTILINE)
    assert set(NUMBER.findall(TEXT)) == set(explained)


def test_every_trap_that_a_module_or_manifest_names_is_explained():
    sources = [
        *(ROOT / "runbook").rglob("*.py"),
        *(ROOT / "manifests").iterdir(),
        *(ROOT / "vars").rglob("*.yml"),
    ]
    named = {number for source in sources for number in NUMBER.findall(source.read_text())}
    assert {number for number in named if f"</a>{number} |" not in TRAPS} == set()


@pytest.mark.parametrize("scenario", ["empty", "existing-cluster"])
def test_the_commands_are_those_that_a_check_prints(scenario, reader):
    assert reader.type(Command(f"inv rehearsal.scenario {scenario}")).code == 0
    answer = reader.type(Command("inv setup deploy smoke bench teardown --check --json"))
    changes = [json.loads(line) for line in answer.text.splitlines() if '"change_begun"' in line]
    assert changes, answer.text
    for event in changes:
        section, command = event["step"]["section"], " ".join(event["change"]["command"])
        assert not command or any(_is_like(command, shown) for shown in documented()[section]), (
            f"{section}: {command}"
        )


def _is_like(command: str, shown: str) -> bool:
    return all(re.search(rf"(^|\s){re.escape(word)}\b", command) for word in shown.split())
