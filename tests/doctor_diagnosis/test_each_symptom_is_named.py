"""Each known symptom, brought about by the scenario of its name, is the only one that is named."""

from pathlib import Path

import pytest

from runbook.steps.symptoms.symptom import Symptom
from runbook.steps.symptoms.table import SYMPTOMS
from tests.doctor_diagnosis.patient import Patient
from tests.steps_kube.pasted import bare_commands

SCENARIOS = sorted(path.stem for path in Path("rehearsal/scenarios").glob("s[0-9][0-9]-*.yml"))
ALL = 34
NAMED: set[str] = set()
EVIDENCE = {
    4: "Error 403",
    13: "log of gke-gcsfuse-sidecar",
    15: "has no restartPolicy: Always",
    16: "default/notebook holds 4",
    17: "asks for no chip and does not tolerate the taint google.com/tpu",
    18: "cloud.google.com/gke-tpu-topology=2x2x1",
    21: "UPGRADE_MASTER",
    26: "SafetensorError",
    32: "container.clusters.get",
    34: "HF_HOME=/model-vol-mount/huggingface",
}
"""Words of the evidence, by the number of the symptom."""


def test_there_are_34_symptoms_and_a_scenario_for_each() -> None:
    assert [symptom.number for symptom in SYMPTOMS] == list(range(1, ALL + 1))
    assert [symptom.id for symptom in SYMPTOMS] == SCENARIOS


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.id)
def test_symptom_is_named(patient: Patient, symptom: Symptom) -> None:
    patient.play(symptom.id)
    [finding] = patient.findings()
    assert finding.topic == symptom.id, finding
    assert finding.verdict == symptom.verdict
    assert finding.fact == symptom.cause
    assert finding.remedy
    assert "{" not in finding.remedy
    assert not bare_commands(finding.remedy)
    assert EVIDENCE.get(symptom.number, "") in " ".join(finding.evidence)
    assert finding.evidence
    NAMED.add(symptom.id)


def test_all_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Last of the file, and run with it: what the tests above have seen."""
    with capsys.disabled():
        print(f"\n{len(NAMED)} of {ALL} symptoms are named from their scenarios")
    assert len(NAMED) == ALL
