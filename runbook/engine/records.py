"""Events and outcomes as JSON-able records: the form of `--json`, of the journal and of reports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from runbook.engine.change import Change
from runbook.engine.errors import DefectError, MissingError, RunbookError
from runbook.engine.events import Event
from runbook.engine.outcome import Outcome


def event_record(event: Event) -> dict[str, Any]:
    """Turn an event into a record; its key `event` is the kind, such as `step_ended`."""
    record = {field.name: jsonable(getattr(event, field.name)) for field in fields(event)}
    return {"event": _snake_case(type(event).__name__), **record}


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """Turn an outcome into a record."""
    return {
        "section": outcome.section,
        "name": outcome.name,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "changes": [change_record(change) for change in outcome.changes],
        "started": outcome.started,
        "seconds": round(outcome.seconds, 4),
        "error": error_record(outcome.error) if outcome.error else None,
    }


def change_record(change: Change) -> dict[str, Any]:
    """Turn a change into a record: what differs, and the equivalent command as argv."""
    return {
        "differences": [
            {"path": item.path, "before": jsonable(item.before), "after": jsonable(item.after)}
            for item in change.differences
        ],
        "command": list(change.command),
        "loss": change.loss,
        "warning": change.warning,
    }


def error_record(error: RunbookError) -> dict[str, Any]:
    """Turn an error into a record: kind, cause, place, remedy."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "place": str(error.place) if error.place else None,
        "remedy": error.remedy,
        "supplied_by": error.supplied_by if isinstance(error, MissingError) else None,
        "trace": error.trace if isinstance(error, DefectError) else None,
    }


def jsonable(value: Any) -> Any:
    """Turn a value into JSON types; what JSON does not know becomes its text, so secrets stay `***`."""
    converted: Any = value
    match value:
        case None | bool() | int() | float() | str():
            pass
        case Change():
            converted = change_record(value)
        case Outcome():
            converted = outcome_record(value)
        case Mapping():
            converted = {str(key): jsonable(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            converted = [jsonable(item) for item in value]
        case _ if is_dataclass(value):
            converted = {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
        case _:
            converted = str(value)
    return converted


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
