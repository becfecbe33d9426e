"""What does not fit a model of a playbook's entry, in words: the key, the value, the nearest name."""

from __future__ import annotations

from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runbook.engine.document import KeyPath
from runbook.engine.errors import Place, PlaybookError


def misfit(error: ValidationError, place: Place, what: str, model: type[BaseModel]) -> PlaybookError:
    """Say what is wrong with an entry.

    Args:
        error: what the model found.
        place: where it stands.
        what: the entry, as the message begins.
        model: what it should have fitted.
    """
    first = _telling(error)
    key = ".".join(str(part) for part in first["loc"])
    names = [field.alias or name for name, field in model.model_fields.items()]
    nearest = get_close_matches(key, names, n=1)
    if first["type"] == "extra_forbidden":
        remedy = f"did you mean {nearest[0]}?" if nearest else f"it may have: {', '.join(names)}"
        return PlaybookError(f"{what} has no {key!r}", place=place, remedy=remedy)
    if first["type"] == "missing":
        return PlaybookError(f"{what} lacks {key!r}", place=place)
    return PlaybookError(f"{what}: {key}: {first['msg'].lower()}, not {first['input']!r}", place=place)


def misfit_path(error: ValidationError) -> KeyPath:
    """Give the keys that lead to what `misfit` speaks of."""
    return _telling(error)["loc"]


def _telling(error: ValidationError) -> ErrorDetails:
    """Pick the problem that explains the others: a misspelt key, before the key that it leaves missing."""
    problems = error.errors()
    return next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
