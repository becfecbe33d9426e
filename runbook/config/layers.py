"""The layers: which files there are for an environment, and what the settings of a command line say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runbook.config.keys import (
    PREFIX,
    RESERVED,
    Key,
    KeySchema,
    dotted,
    nearest,
    nearest_key,
    schema_groups,
    schema_keys,
    schema_of,
    setting_name,
    undotted,
)
from runbook.config.problems import Problem
from runbook.config.schema import SELECTORS
from runbook.engine.document import Document, load_document, parse_document
from runbook.engine.errors import Place, VariableError

Settings = list[tuple[Key, Document]]
"""Keys and values that come from no file."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def environments(root: Path) -> list[str]:
    """List the environments that exist; examples are to be copied first."""
    names = [path.stem for path in sorted((root / "vars" / "envs").glob("*.yml"))]
    return [name for name in names if not name.endswith(".example")]


def environment_file(root: Path, environment: str) -> Document:
    """Read the file of an environment.

    Raises:
        VariableError: there is no such environment, or its file is wrong.
    """
    path = root / "vars" / "envs" / f"{environment}.yml"
    if not _NAME.fullmatch(environment) or not path.is_file():
        existing = environments(root)
        close = nearest(environment, existing)
        raise VariableError(
            f"unknown environment {environment}" + (f", did you mean {close}?" if close else ""),
            place=Place.in_file(path.parent),
            remedy=f"there are: {', '.join(existing) or 'none'}; copy gke.example.yml to make one",
        )
    return load_layer(path)


def selected_file(root: Path, selector: str, name: Any, place: Place) -> Document:
    """Read the file that a selector names.

    Args:
        root: the repository.
        selector: `model`, `hardware` or `storage`.
        name: the file, without .yml.
        place: where the selector is set.

    Raises:
        VariableError: there is no such file, or it is wrong.
    """
    folder = root / "vars" / SELECTORS[selector]
    existing = sorted(path.stem for path in folder.glob("*.yml"))
    if name not in existing:
        close = nearest(str(name), existing)
        raise VariableError(
            f"{selector}: there is no {folder.name}/{name}.yml"
            + (f", did you mean {close}?" if close else ""),
            place=place,
            remedy=f"there are: {', '.join(existing) or 'none'}",
        )
    return load_layer(folder / f"{name}.yml")


def load_layer(path: Path) -> Document:
    """Read one file of variables.

    Raises:
        VariableError: it cannot be read, is no YAML, or holds no variables.
    """
    document = load_document(path, VariableError)
    if document.value is None:
        return Document(document.source, {})
    if not isinstance(document.value, dict):
        raise VariableError("holds no variables, which are lines of `key: value`", place=document.place())
    return document


def command_line(settings: Sequence[str]) -> Settings:
    """Read what `--set KEY=VALUE` says, the last one last.

    Raises:
        VariableError: one has no value, or its value is no YAML.
    """
    found: Settings = []
    for setting in settings:
        name, equals, text = setting.partition("=")
        place = Place(f"--set {name}")
        if not equals:
            raise VariableError(f"{name} has no value", place=place, remedy="write --set KEY=VALUE")
        found.append((undotted(name), _value(undotted(name), text, place)))
    return found


def process_environment(environ: Mapping[str, str], known: Sequence[Key]) -> tuple[Settings, list[Problem]]:
    """Read what RUNBOOK_<KEY> says.

    Args:
        environ: the process's environment.
        known: keys that the files set; entries of open mappings are known only from there.
    """
    names = {setting_name(key): key for key in [*sorted(schema_groups()), *schema_keys(), *known]}
    found: Settings = []
    problems: list[Problem] = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in RESERVED:
            continue
        if name in names:
            found.append((names[name], _value(names[name], environ[name], Place(name))))
        else:
            problems.append(_unknown_name(name, list(names)))
    return found, problems


def unknown_settings(settings: Settings, known: Sequence[Key]) -> list[Problem]:
    """Say which settings name no variable.

    Args:
        settings: what the command line says.
        known: keys that the files set, for the nearest name.
    """
    groups = schema_groups()
    strangers = [(key, said) for key, said in settings if schema_of(key) is None and key not in groups]
    return [unknown(key, said.source, known) for key, said in strangers]


def unknown(key: Key, place: Place, known: Sequence[Key]) -> Problem:
    """Say that there is no such variable, and which one may have been meant.

    Args:
        key: what was written.
        place: where.
        known: keys that the layers set, among them entries such as flags.
    """
    valid = [other for other in known if schema_of(other) is not None]
    close = nearest_key(key, [*schema_keys(), *sorted(schema_groups()), *valid])
    hint = f", did you mean {close}?" if close else ""
    return Problem(f"unknown variable {dotted(key)}{hint}", place, "`inv vars` lists them all")


def _unknown_name(name: str, names: list[str]) -> Problem:
    close = nearest(name, names)
    hint = f", did you mean {close}?" if close else ""
    remedy = "cluster.name is RUNBOOK_CLUSTER_NAME; `inv vars` lists them all"
    return Problem(f"unknown variable {name}{hint}", Place(name), remedy)


def _value(key: Key, text: str, place: Place) -> Document:
    schema = schema_of(key)
    if schema is None or not (schema.secret or _is_text(schema, key)):
        return _yaml(text, place)
    if schema.secret and text.lstrip().startswith("{"):
        return _yaml(text, place)
    return Document(place, None if schema.nullable and text in {"null", "~"} else text)


def _yaml(text: str, place: Place) -> Document:
    return Document(place, parse_document(text, place, VariableError, lined=False).value)


def _is_text(schema: KeySchema, key: Key) -> bool:
    return schema.text and not (schema.open and key in schema_keys())
