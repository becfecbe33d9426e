"""Write the table of docs/symptoms.md: `python -m runbook.doctor.diagnosis.document`, after each change."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from runbook.doctor.diagnosis.rules import RULES
from runbook.steps.symptoms.symptom import Symptom
from runbook.steps.symptoms.table import SYMPTOMS

_BEGIN: Final = "<!-- generated: python -m runbook.doctor.diagnosis.document -->"
_END: Final = "<!-- end of generated -->"


def page(root: Path) -> Path:
    """Name the document.

    Args:
        root: the repository.
    """
    return root / "docs" / "symptoms.md"


def generated(root: Path) -> str:
    """Return the document's text with the table as it should be."""
    before, _, rest = page(root).read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    table = "\n".join(_table(root))
    return f"{before}{_BEGIN}\n\n{table}\n\n{_END}{after}"


def write(root: Path) -> None:
    """Write the document."""
    page(root).write_text(generated(root), encoding="utf-8")


def _table(root: Path) -> Iterator[str]:
    yield "| scenario and topic | cause | what shows it | what to do | injected in the rehearsal |"
    yield "|---|---|---|---|---|"
    for symptom in SYMPTOMS:
        cells = (
            f"`{symptom.id}`",
            symptom.cause,
            _seen_by(symptom),
            _remedy(symptom),
            _injected(root, symptom) or "nothing: it is its state",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _seen_by(symptom: Symptom) -> str:
    """Say what shows a symptom."""
    texts = ", ".join(sorted(source.value for source in symptom.sources))
    shown = [f"`{symptom.pattern.pattern}` in {texts}"] if symptom.pattern else []
    rule = RULES.get(symptom.id)
    computed = ((rule and rule.__doc__) or "").partition("\n")[0].rstrip(".")
    return "; or ".join(shown + ([computed] if computed else []))


def _remedy(symptom: Symptom) -> str:
    """Write a remedy with the names of values instead of values."""
    names = {name for _, name, _, _ in string.Formatter().parse(symptom.remedy) if name}
    shown = {name: name.upper() for name in names} | {"env": "", "kubectl": "kubectl"}
    return symptom.remedy.format_map(shown)


def _injected(root: Path, symptom: Symptom) -> str:
    """Read what the scenario says of itself."""
    scenario = YAML(typ="safe").load(root / "rehearsal" / "scenarios" / f"{symptom.id}.yml")
    return str(scenario.get("injected", ""))


if __name__ == "__main__":
    write(Path(__file__).parents[3])
