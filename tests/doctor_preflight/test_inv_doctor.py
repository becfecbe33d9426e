"""`inv doctor` as an operator types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.doctor_preflight.patient import ROOT

NUMBERS = [f"P{number}" for number in range(1, 17)]
READS = {"GET", "HEAD"}
TESTS_PERMISSIONS = ":testIamPermissions"


def doctor(cloud, *words, **environment):
    """Type `inv doctor`."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "CLOUDSDK_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "invoke", "doctor", *words],
        cwd=ROOT,
        env=kept | {"RUNBOOK_HOME": str(cloud.home.parent)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def of_preflight(answer):
    findings = [json.loads(line) for line in answer.stdout.splitlines()]
    return [finding for finding in findings if finding["topic"].split()[0] in NUMBERS]


def test_an_empty_cloud_is_in_order(patient):
    answer = doctor(patient.cloud, "--json")
    assert (answer.returncode, answer.stderr) == (0, "")
    found = of_preflight(answer)
    assert {finding["verdict"] for finding in found} == {"ok"}
    assert list(dict.fromkeys(finding["topic"].split()[0] for finding in found)) == NUMBERS
    assert set(found[0]) == {"topic", "verdict", "fact", "remedy", "evidence"}


def test_a_cloud_that_serves_is_in_order(equipped, prepared):
    prepared.deploy()
    answer = doctor(equipped.cloud, "--json")
    assert [finding for finding in of_preflight(answer) if finding["verdict"] != "ok"] == []
    assert answer.returncode == 0


def test_what_fails_is_a_line_with_its_remedy_and_exit_code_1(patient):
    patient.tell(disabled_services=["iam.googleapis.com"])
    answer = doctor(patient.cloud)
    assert answer.returncode == 1
    lines = answer.stdout.splitlines()
    line = next(number for number, text in enumerate(lines) if " P2 APIs " in text)
    assert lines[line].split(maxsplit=1)[0] == "failed"
    assert lines[line].endswith("not enabled: iam.googleapis.com")
    assert lines[line + 1].strip() == (
        "-> gcloud services enable iam.googleapis.com --project=rehearsal-project"
    )


def test_a_warning_alone_is_no_failure(patient):
    patient.tell(reservations={"rehearsal-reservation": {"specific": False}})
    answer = doctor(patient.cloud, "--json")
    assert "warning" in {finding["verdict"] for finding in of_preflight(answer)}
    assert answer.returncode == 0


def test_nothing_is_changed_and_no_journal_is_written(equipped):
    equipped.cloud.control("DELETE", "requests")
    assert doctor(equipped.cloud).returncode == 0
    changes = [
        entry["path"]
        for entry in equipped.cloud.control("GET", "requests")
        if entry["method"] not in READS and TESTS_PERMISSIONS not in entry["path"]
    ]
    assert changes == []
    runs = equipped.cloud.home.parent / ".runs"
    assert not [path for path in runs.rglob("*.jsonl") if path.is_file()]


def test_a_wrong_variable_is_told_before_anything_is_looked_at(patient):
    answer = doctor(patient.cloud, "--set", "server.port=0")
    assert answer.returncode == 1
    assert "server.port" in answer.stderr
    assert answer.stdout == ""
