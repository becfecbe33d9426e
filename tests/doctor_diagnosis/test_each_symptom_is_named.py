"""Each known symptom, brought about by the scenario of its name, is the only one that is named."""

from pathlib import Path

import pytest

from runbook.doctor.diagnosis.symptoms import SYMPTOMS
from tests.doctor_diagnosis.patient import Patient

SCENARIOS = sorted(path.stem for path in Path("rehearsal/scenarios").glob("s[0-9][0-9]-*.yml"))
ALL = 34
NAMED: set[str] = set()


def test_there_are_34_symptoms_and_a_scenario_for_each() -> None:
    assert [symptom.number for symptom in SYMPTOMS] == list(range(1, ALL + 1))
    assert [symptom.id for symptom in SYMPTOMS] == SCENARIOS


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.id)
def test_symptom_is_named(patient: Patient, symptom) -> None:
    patient.play(symptom.id)
    [finding] = patient.findings()
    assert finding.topic == symptom.id, finding
    assert finding.verdict == symptom.verdict
    assert finding.fact == symptom.cause
    assert finding.remedy
    assert "{" not in finding.remedy
    assert finding.evidence
    NAMED.add(symptom.id)


def test_all_are_counted() -> None:
    """Last of the file, and run with it: what the tests above have seen."""
    print(f"{len(NAMED)} of {ALL} symptoms are named from their scenarios")
    assert len(NAMED) == ALL
