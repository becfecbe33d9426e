"""`inv runbook` writes down every step, from the variables alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from runbook.cli.catalogue import load_playbooks
from runbook.engine.playbook import all_steps
from tests.acceptance.conftest import ROOT
from tests.runbook_page.conftest import PROGRAMS, SECRETS
from tests.runbook_page.markdown_page import sections

STEPS = list(all_steps(load_playbooks(ROOT)))
BUCKET = "teardown.bucket=rehearsal-models"
ENVIRONMENTS = {
    "rehearsal": [],
    "gke": ["provider=gke", "project=my-project", "node_pool.capacity=flex-start", "node_pool.reservation="],
    "kubeconfig": ["provider=kubeconfig", "kube.context=mine"],
    "autopilot": ["provider=gke", "cluster.mode=autopilot", "kube.namespace=serving"],
    "no Gateway API": ["cluster.gateway_api=false"],
    "plain bucket, everything else": [
        *("bucket.hierarchical_namespace=false", "kube.service_account=server", "kube.force=true"),
        *("server.expose=internal", "server.source_ranges=[10.0.0.0/8]", "server.api_key={env: SERVER_KEY}"),
        *('smoke.prompt=Bob\'s "50% off" costs $5 `now`', "smoke.local_port=9001"),
    ],
}
NEIGHBOURS = {"rehearsal", "kubeconfig", "no Gateway API"}
"""Environments whose steps are written in the others, too."""
LEFT_IN = re.compile(r"[{<]\s*YOUR_|\bNone\b|\bUNKNOWN\b|known after|\*\*\*|\{\{ |by-hand")


def settings(*values: str) -> list[str]:
    return [word for value in values for word in ("--set", value)]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(values, id=name, marks=pytest.mark.slow if name in NEIGHBOURS else ())
        for name, values in ENVIRONMENTS.items()
    ],
)
def told(request, offline):
    """The written runbook of an environment, as Markdown and as records."""
    words = ["runbook", *settings(BUCKET, *request.param)]
    markdown = offline.inv(*words)
    assert markdown.code == 0, markdown.error
    return markdown.out, offline.json_lines(*words, "--json")


def test_every_step_says_what_to_do_how_to_look_and_how_to_undo(told):
    markdown, records = told
    assert [(record["section"], record["name"]) for record in records] == [
        (step.section, step.name) for step in STEPS
    ]
    for record in records:
        if record["left_out"]:
            assert record["manual"] is None
            continue
        manual = record["manual"]
        idle = manual["note"].startswith("Nothing is done here")
        assert idle or manual["check"], record["section"]
        assert manual["commands"] or manual["note"], record["section"]
        assert manual["undo"] or manual["note"], record["section"]
    assert [(found.number, found.name) for found in sections(markdown).values()] == [
        (step.section, step.name) for step in STEPS
    ]


def test_the_shell_reads_every_block(told):
    markdown, _ = told
    blocks = re.findall(r"^```sh\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        parsed = subprocess.run(["/bin/sh", "-n"], input=block, capture_output=True, text=True, check=False)
        assert parsed.returncode == 0, f"{block}\n{parsed.stderr}"


def test_markdown_and_records_are_the_same_commands(told, writing_shell):
    markdown, records = told
    pages = sections(markdown)
    for record in records:
        for kind, label in (("commands", "do"), ("check", "Check"), ("undo", "Undo")):
            argvs = (record["manual"] or {}).get(kind, [])
            pasted = pages[record["section"]].blocks.get(label, "")
            plain = [argv for argv in argvs if argv[0] in PROGRAMS]
            assert [argv for argv in writing_shell.argvs(pasted) if argv in plain] == plain, record["section"]


def test_nothing_is_left_to_be_filled_in_and_nothing_secret_is_told(told):
    markdown, _ = told
    assert not LEFT_IN.search(markdown)
    for secret in SECRETS.values():
        assert secret not in markdown


def test_no_line_of_a_command_leaves_the_project_or_the_cluster_to_a_configuration(told):
    _, records = told
    for record in records:
        manual = record["manual"] or {"commands": [], "check": [], "undo": []}
        for argv in [*manual["commands"], *manual["check"], *manual["undo"]]:
            if argv[:2] == ["gcloud", "container"]:
                assert any(word.startswith("--project=") for word in argv), argv
            if argv[0] == "kubectl":
                assert any(word.startswith("--kubeconfig=") for word in argv), argv
            if argv[0] == "inv":
                assert argv[argv.index("--env") + 1] == "rehearsal", argv


def test_the_contents_lead_to_every_heading(told):
    markdown, _ = told
    links = re.findall(r"^ *- \[([^\]]+)\]\(#([^)]+)\)$", markdown, re.MULTILINE)
    headings = [heading.removeprefix("Playbook ") for heading in re.findall(r"^##? (.+)$", markdown, re.M)]
    assert [text for text, _ in links] == headings[1:]
    assert len({anchor for _, anchor in links}) == len(links)


def test_it_is_the_same_each_time_and_leaves_nothing_behind(offline):
    first, second = offline.inv("runbook"), offline.inv("runbook")
    assert (first.out, first.code) == (second.out, 0)
    assert not offline.home.exists()


def test_a_step_that_does_not_apply_says_so(offline):
    page = sections(offline.inv("runbook", *settings("cluster.gateway_api=false")).out)
    for number, variable in (("2.3.3", "cluster.gateway_api"), ("6.5", "teardown.bucket")):
        assert "Left out" in page[number].text
        assert variable in page[number].text
        assert not page[number].blocks
    asked = sections(offline.inv("runbook", *settings(BUCKET)).out)
    assert "gcloud storage rm --recursive gs://rehearsal-models\n" in asked["6.5"].blocks["do"]


def test_sections_that_need_gke_say_so_where_there_is_none(offline):
    records = offline.json_lines("runbook", "--json", *settings("provider=kubeconfig"))
    told = {record["section"]: record["manual"] for record in records}
    for number in ("2.2", "2.3.1", "2.3.2", "2.4", "6.2", "6.3"):
        assert told[number]["commands"] == []
        assert "provider is kubeconfig" in told[number]["note"]


def test_sections_that_autopilot_does_by_itself_say_so(offline):
    records = offline.json_lines("runbook", "--json", *settings("cluster.mode=autopilot"))
    told = {record["section"]: record["manual"] for record in records}
    assert told["2.2"]["commands"][0][:4] == ["gcloud", "container", "clusters", "create-auto"]
    for number in ("2.3.1", "2.3.2", "2.3.4", "2.4", "6.2"):
        assert told[number]["commands"] == []
        assert "on an Autopilot cluster" in told[number]["note"]


def test_the_line_of_inv_has_the_options_that_gave_the_values(offline):
    chosen = "server.port=9000"
    records = offline.json_lines("runbook", "--json", *settings(chosen))
    for record in records:
        assert record["step"] == ["inv", "step", record["section"], "--env", "rehearsal", "--set", chosen]
    rendered = next(record["manual"] for record in records if record["section"] == "4.2")
    assert rendered["commands"][0][-2:] == ["--set", chosen]
    assert json.dumps(records).count("9000:9000") == 1


def test_a_module_that_says_nothing_leaves_it_to_inv(offline, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    for name in ("playbooks", "manifests", "vars", "runbook"):
        shutil.copytree(ROOT / name, project / name)
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy2(ROOT / name, project / name)
    module = project / "runbook" / "steps" / "parameters" / "defined.py"
    module.write_text(module.read_text().replace("def manual(", "def told(").replace("-> Manual", ""))
    reader = type(offline)(offline.home, offline.environ, project)
    page = sections(reader.inv("runbook").out)
    assert page["2.1"].blocks == {"Instead": "inv step 2.1 --env rehearsal\n"}
