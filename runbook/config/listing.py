"""What `inv vars` shows: each value, where it came from and what it overrode."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from runbook.config.keys import schema_of, undotted
from runbook.config.load import Loaded
from runbook.config.provenance import Origin, Provenance
from runbook.config.secret import Secret

_PLAIN: Final = re.compile(r"(?!(null|true|false|[-+.0-9][-+._0-9e]*)$)[A-Za-z0-9_/<*][^\n\"]*(?<!\s)")


def as_lines(loaded: Loaded, key: str = "") -> list[str]:
    """List variables, a line each; or one variable with all that is known of it.

    Args:
        loaded: the variables.
        key: a variable, or a group such as `server.flags`; empty for all.

    Raises:
        VariableError: there is no such variable; the nearest one is named.
    """
    chosen = _chosen(loaded, key)
    if [provenance.key for provenance in chosen] == [key]:
        return _in_full(chosen[0])
    names = max(len(provenance.key) for provenance in chosen)
    values = [text(provenance.value) for provenance in chosen]
    width = min(max(len(value) for value in values), 40)
    return [
        f"{provenance.key:<{names}}  {value:<{width}}  {_history(provenance)}"
        for provenance, value in zip(chosen, values, strict=True)
    ]


def as_records(loaded: Loaded, key: str = "") -> list[dict[str, Any]]:
    """List variables as objects that JSON can hold.

    Args:
        loaded: the variables.
        key: a variable, or a group; empty for all.

    Raises:
        VariableError: there is no such variable; the nearest one is named.
    """
    return [
        {
            "key": provenance.key,
            "value": _shown(provenance.value),
            **_source(provenance.origins[0]),
            "overrode": [
                {"value": _shown(origin.value), **_source(origin)} for origin in provenance.overrode
            ],
        }
        for provenance in _chosen(loaded, key)
    ]


def text(value: Any) -> str:
    """Write a value on one line, as YAML would have it; a secret as `***`."""
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {text(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(text(item) for item in value)}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _chosen(loaded: Loaded, key: str) -> list[Provenance]:
    known = loaded.keys()
    below = [other for other in known if other.startswith(f"{key}.")] if key else known
    return [loaded.provenance(other) for other in below or [key]]


def _in_full(provenance: Provenance) -> list[str]:
    schema = schema_of(undotted(provenance.key))
    first = provenance.origins[0]
    return [
        f"{provenance.key} = {text(provenance.value)}",
        *([f"  {schema.description}"] if schema else []),
        f"  from {first.place}{_why(first)}",
        *(f"  overrode {text(origin.value)} from {origin.place}" for origin in provenance.overrode),
    ]


def _history(provenance: Provenance) -> str:
    first = provenance.origins[0]
    below = [f"overrode {text(origin.value)} ({origin.place})" for origin in provenance.overrode]
    return ", ".join([f"{first.place}{_why(first)}", *below])


def _why(origin: Origin) -> str:
    if origin.same_as:
        return f" (as {origin.same_as})"
    return f" {text(origin.value)}" if _is_kept_elsewhere(origin) else ""


def _is_kept_elsewhere(origin: Origin) -> bool:
    return isinstance(origin.value, Mapping) and bool(origin.value)


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, Secret) else value


def _source(origin: Origin) -> dict[str, Any]:
    place = origin.place
    return {"source": place.source, "line": place.line, "same_as": origin.same_as}
