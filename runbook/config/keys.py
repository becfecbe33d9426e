"""What the schema knows of each key: its field, and how text from a command line becomes its value."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from runbook.config.schema import NULLABLE, Variables
from runbook.config.secret import Secret
from runbook.config.types import Group

Key = tuple[str, ...]

PREFIX: Final = "RUNBOOK_"
RESERVED: Final = frozenset({"RUNBOOK_HOME", "RUNBOOK_ENV", "RUNBOOK_PYTHON"})
"""Settings of the runner that begin like variables."""


@dataclass(frozen=True)
class KeySchema:
    """One variable of the schema.

    Args:
        description: what it is for, one line.
        annotation: its type.
        open: whether its entries are named by the user, as those of server.flags.
        secret: whether its value is never shown.
        text: whether it, or each entry of it, is text and nothing else.
        nullable: whether null is a value of it.
    """

    description: str
    annotation: Any
    open: bool
    secret: bool
    text: bool
    nullable: bool


def dotted(key: tuple[str | int, ...]) -> str:
    """Write a key as users do: `server.flags.max-model-len`."""
    return ".".join(str(part) for part in key)


def undotted(key: str) -> Key:
    """Read a key as users write it."""
    return tuple(key.split("."))


def setting_name(key: Key) -> str:
    """Name the environment variable that sets a key: `cluster.name` is RUNBOOK_CLUSTER_NAME."""
    return PREFIX + "_".join(key).replace("-", "_").replace(".", "_").upper()


@cache
def schema_keys() -> dict[Key, KeySchema]:
    """List every variable of the schema, in its order."""
    return dict(_walk(Variables, ()))


@cache
def schema_groups() -> frozenset[Key]:
    """List the groups that variables are in."""
    return frozenset(key[:length] for key in schema_keys() for length in range(1, len(key)))


def schema_of(key: Key) -> KeySchema | None:
    """Find the variable that a key names, or that it is an entry of."""
    keys = schema_keys()
    if key in keys:
        return keys[key]
    around = keys.get(key[:-1])
    if around is not None:
        return around if around.open else None
    return _inside_entry(keys.get(key[:-2]), key)


def nearest(name: str, names: list[str]) -> str | None:
    """Return the name that was probably meant."""
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return close[0] if close else None


def nearest_key(key: Key, known: list[Key]) -> str | None:
    """Return the key that was probably meant: the same word elsewhere, or a similar one."""
    siblings = [other for other in known if other[:-1] == key[:-1]]
    by_name = nearest(key[-1], [other[-1] for other in siblings])
    if by_name is not None:
        return dotted((*key[:-1], by_name))
    by_key = nearest(dotted(key), [dotted(other) for other in known])
    if by_key is not None:
        return by_key
    word = key[-1].replace("_", "-")
    return next((dotted(other) for other in known if other[-1].replace("_", "-") == word), None)


def _inside_entry(mapping: KeySchema | None, key: Key) -> KeySchema | None:
    """Find the variable of an entry that is itself a group, as those of bench.workloads."""
    entry = get_args(mapping.annotation)[1] if mapping is not None and mapping.open else None
    if isinstance(entry, type) and issubclass(entry, Group) and key[-1] in entry.model_fields:
        field = entry.model_fields[key[-1]]
        return _key_schema(key, field.annotation, field.description or "")
    return None


def _walk(group: type[Group], prefix: Key) -> Iterator[tuple[Key, KeySchema]]:
    for name, field in group.model_fields.items():
        key = (*prefix, name)
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Group):
            yield from _walk(annotation, key)
        else:
            yield key, _key_schema(key, annotation, field.description or "")


def _key_schema(key: Key, annotation: Any, description: str) -> KeySchema:
    mapping = get_origin(annotation) is dict
    value = get_args(annotation)[1] if mapping else annotation
    members = list(_members(value))
    nullable = type(None) in members or mapping or dotted(key) in NULLABLE
    plain = [member for member in members if member is not type(None)]
    return KeySchema(
        description=description,
        annotation=annotation,
        open=mapping,
        secret=Secret in plain,
        text=all(member is str or get_origin(member) is Literal for member in plain),
        nullable=nullable,
    )


def _members(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (types.UnionType, Union):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation
