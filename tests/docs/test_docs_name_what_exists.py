from __future__ import annotations

import dataclasses
import re
import shlex
import typing

import pytest

import tasks
from rehearsal.front.faults import KINDS
from runbook.cli.catalogue import module_library
from runbook.config.keys import schema_groups, schema_keys, setting_name
from runbook.engine import change, errors, events, outcome, playbook
from runbook.engine.records import error_record
from tests.docs.blocks import blocks, prose
from tests.docs.conftest import ROOT

DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), *ROOT.glob("README.md")]
IDS = [document.name for document in DOCUMENTS]
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"(?:vars|playbooks|manifests|docs|runbook|rehearsal|tests|benchmarks)/[\w./-]*")
FOREIGN_OPTIONS = {
    *("--dry", "--diff", "--project", "--addons", "--num-nodes", "--local-dir"),
    *("--workload-pool", "--workload-metadata", "--update-addons", "--gateway-api"),
    *("--append-result", "--save-detailed"),
}
"""Of invoke, of the guide's commands and of vllm bench serve."""
PLACEHOLDERS = {"ENV", "NAME", "M", "H", "S", "MODULE", "KEY"}


def task_options():
    """Map each task to its options."""
    found = {}
    for name, task in _all_tasks():
        found[name] = {f"--{argument.names[0].replace('_', '-')}" for argument in task.get_arguments()}
    return found


def _all_tasks():
    for name, task in tasks.namespace.tasks.items():
        yield name, task
    for group, collection in tasks.namespace.collections.items():
        for name, task in collection.tasks.items():
            yield f"{group}.{name}", task


TASKS = task_options()
OPTIONS = set.union(*TASKS.values())
VARIABLES = {".".join(key) for key in [*schema_keys(), *schema_groups()]}
MODULES = set(module_library().names())
GROUPS = {name.partition(".")[0] for name in [*VARIABLES, *MODULES] if "." in name}


def spans(document):
    return [span for line in prose(document).splitlines() for span in SPAN.findall(line)]


def lines_of_inv(document):
    """List every line of `inv`, in backticks or typed in a block, as words."""
    typed = [line for block in blocks(document) for line in block.lines]
    typed += [line for line in document.read_text().splitlines() if line.startswith("    ")]
    found = [*spans(document), *(line.strip().removeprefix("$ ").partition("  #")[0] for line in typed)]
    return [shlex.split(line, comments=True) for line in found if re.match(r"(\./)?inv [a-z]", line)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(document):
    for target in LINK.findall(document.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        assert path.exists(), target
        assert not anchor or f'id="{anchor}"' in path.read_text(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_tasks_and_their_options_exist(document):
    for words in lines_of_inv(document):
        known = set()
        for word in words[1:]:
            name = word.strip("[].,;")
            if word.startswith("--"):
                assert word.partition("=")[0] in known | {"--list", "--help"}, words
            elif name in TASKS:
                known |= TASKS[name]
        assert known, words


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_options_exist(document):
    for span in spans(document):
        if span.startswith("--"):
            option = re.split(r"[ =]", span)[0]
            assert option in OPTIONS | FOREIGN_OPTIONS, span


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_variables_and_modules_exist(document):
    for span in spans(document):
        name = span.partition(":")[0]
        if re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", name) and name.partition(".")[0] in GROUPS:
            assert name in VARIABLES | MODULES | set(TASKS), span


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_paths_exist(document):
    written = {block.file for block in blocks(document)}
    for span in spans(document):
        path = PATH.fullmatch(span)
        if not path or span in written or PLACEHOLDERS & set(re.split(r"[/.]", span)):
            continue
        assert (ROOT / span).exists(), span


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_environment_variables_of_the_runbook_exist(document):
    known = {"RUNBOOK_ENV", "RUNBOOK_HOME", "RUNBOOK_PYTHON", *map(setting_name, schema_keys())}
    for name in re.findall(r"\bRUNBOOK_[A-Z_]+\b(?!<)", document.read_text()):
        assert name in known, name


def table(document, header):
    """Read the table below a header row: its first cell's name, to the names in its second."""
    text = (ROOT / "docs" / document).read_text()
    rows = text.partition(header)[2].partition("\n\n")[0].splitlines()[2:]
    cells = [row.strip("|").split("|") for row in rows]
    return {SPAN.findall(row[0])[0]: SPAN.findall(row[1]) for row in cells}


def names(record):
    return [field.name for field in dataclasses.fields(record)]


def snake_case(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_every_event_is_listed_with_its_fields():
    listed = table("operations.md", "| event | fields | when |")
    assert listed.pop("error") == ["error"]
    assert listed == {snake_case(kind.__name__): names(kind) for kind in typing.get_args(events.Event)}


def test_every_record_is_listed_with_its_fields():
    listed = table("operations.md", "| record | fields |")
    assert listed["step"] == names(events.StepFace)
    assert listed["outcome"] == names(outcome.Outcome)
    assert listed["difference"] == names(change.Difference)
    internal = {"apply", "planned"}
    assert listed["change"] == [name for name in names(change.Change) if name not in internal]
    assert listed["error"] == list(error_record(errors.FailedError("it did not work")))


def test_every_status_and_error_is_listed():
    text = (ROOT / "docs" / "operations.md").read_text()
    for status in outcome.Status:
        assert f"`{status}" in text
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.RunbookError):
            assert f"`{name}`" in text or name in {"RunbookError", "UserError"}, name


def test_every_option_of_a_line_is_listed():
    listed = table("operations.md", "| option | meaning |")
    assert [option.split()[0] for option in listed] == [
        f"--{argument.names[0].replace('_', '-')}" for argument in tasks.line_options()
    ]


def test_every_fault_and_scenario_is_listed():
    assert list(table("rehearsal.md", "| `--kind` | what")) == list(KINDS)
    scenarios = {path.stem for path in (ROOT / "rehearsal" / "scenarios").glob("*.yml")}
    symptoms = set(table("symptoms.md", "| scenario and topic | cause |"))
    assert len(symptoms) == 34
    assert set(table("rehearsal.md", "| scenario | state |")) | symptoms == scenarios


def test_every_key_of_a_playbook_is_listed():
    assert list(table("playbooks.md", "| key | type | meaning |")) == [
        field.alias or name for name, field in playbook._Entry.model_fields.items()
    ]


def test_every_playbook_is_linked():
    links = LINK.findall((ROOT / "docs" / "playbooks.md").read_text())
    assert {f"../playbooks/{name}.yml" for name in playbook.playbook_names(ROOT / "playbooks")} <= set(links)
