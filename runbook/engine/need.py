"""What a step needs: another step, always or where a condition holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runbook.engine.document import Document
from runbook.engine.errors import Place, PlaybookError
from runbook.engine.expression import condition
from runbook.engine.validation import misfit, misfit_path


class _Entry(BaseModel):
    """A need with a condition, as a playbook spells it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    step: str = Field(min_length=1)
    when: str | bool


@dataclass(frozen=True)
class Need:
    """A step that comes first.

    Args:
        section: the step's.
        place: where the need stands.
        when: where it counts, before Jinja.
    """

    section: str
    place: Place
    when: str | bool = True

    def counts(self, variables: Mapping[str, Any]) -> bool:
        """Tell whether the step is waited for.

        Args:
            variables: the merged variables, nested.

        Raises:
            PlaybookError: the condition is broken, or names what does not exist.
        """
        return condition(self.when, variables, self.place)


def read_needs(document: Document, step: int) -> tuple[Need, ...] | None:
    """Read the `needs` of a step.

    Args:
        document: the playbook.
        step: which of its steps, counted from 0.

    Returns:
        None where it has none, which is not the same as an empty list.

    Raises:
        PlaybookError: an entry is neither a section nor a mapping of step and when.
    """
    entries = document.value[step].get("needs")
    return None if entries is None else tuple(_read(document, step, index) for index in range(len(entries)))


def _read(document: Document, step: int, index: int) -> Need:
    given, place = document.value[step]["needs"][index], document.place(step, "needs", index)
    if isinstance(given, str):
        return Need(given, place)
    if not isinstance(given, dict):
        raise PlaybookError(f"a need is a section, or a mapping of step and when, not {given!r}", place=place)
    try:
        entry = _Entry.model_validate(given)
    except ValidationError as error:
        at = document.place(step, "needs", index, *misfit_path(error))
        raise misfit(error, at, "the need", _Entry) from error
    return Need(entry.step, place, entry.when)
