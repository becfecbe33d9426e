"""docs/symptoms.md and the table of symptoms say the same."""

from pathlib import Path

from runbook.doctor.diagnosis.document import generated, page

ROOT = Path(__file__).parents[2]


def test_the_document_is_in_step() -> None:
    text = page(ROOT).read_text()
    assert generated(ROOT) == text, "run: python -m runbook.doctor.diagnosis.document"
