"""Load the variables of an environment: merged, typed and checked, with where each value came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin

from runbook.config.checks import check
from runbook.config.keys import Key, dotted, nearest, schema_groups, schema_keys, schema_of, undotted
from runbook.config.merge import merge
from runbook.config.problems import Problem, raise_all
from runbook.config.provenance import Origins, Provenance
from runbook.config.schema import DERIVED, OF_WORKLOAD, Variables
from runbook.config.secret_source import fetch, readable_by_others
from runbook.config.validation import validate
from runbook.engine.document import placeholder_in
from runbook.engine.errors import Place, VariableError


@dataclass(frozen=True)
class Loaded:
    """The variables of an environment.

    Args:
        environment: its name.
        variables: every value, typed.
        tree: the same as nested mappings, for templates; secrets print as `***`.
        warnings: what is allowed but probably not meant.
        origins: every layer's word on every variable.
    """

    environment: str
    variables: Variables
    tree: dict[str, Any]
    warnings: tuple[Problem, ...]
    origins: Origins

    def keys(self) -> list[str]:
        """List every variable that is set, in the schema's order; entries such as flags by their own name."""
        order = {key: index for index, key in enumerate(schema_keys())}
        return [dotted(key) for key in sorted(self.origins, key=lambda key: _position(order, key))]

    def provenance(self, key: str) -> Provenance:
        """Tell a variable's value, where it came from and what it overrode.

        Raises:
            VariableError: there is no such variable; the nearest one is named.
        """
        path = undotted(key)
        if self.origins.find(path) is None:
            groups = [dotted(group) for group in sorted(schema_groups())]
            close = nearest(key, [*self.keys(), *groups])
            hint = f", did you mean {close}?" if close else ""
            raise VariableError(f"unknown variable {key}{hint}", remedy="`inv vars` lists them all")
        return Provenance(key, _at(self.tree, path), self.origins.history(path))


def load(root: Path, environment: str, settings: Sequence[str], environ: Mapping[str, str]) -> Loaded:
    """Merge, type and check the variables of an environment.

    Args:
        root: the repository; the files are in its folder vars/.
        environment: a file of vars/envs/, without .yml.
        settings: what `--set` was given, each KEY=VALUE.
        environ: the process's environment, for RUNBOOK_<KEY> and for secrets.

    Raises:
        VariableError: something is wrong; with its place, and all problems of a kind together.
    """
    origins = merge(root, environment, settings, environ)
    file = Place.in_file(root / "vars" / "envs" / f"{environment}.yml")
    raise_all(_placeholders(origins))
    _derive(origins)
    _follow_workload(origins)
    secrets = _secrets(origins, root, environ)
    tree = _nested(origins, secrets)
    variables, problems = validate(tree, list(origins), lambda key: _locate(origins, key, file))
    raise_all(problems)
    assert variables is not None  # noqa: S101 - validate gives variables or problems
    findings = check(variables, origins, file)
    raise_all(findings.errors)
    warnings = [*findings.warnings, *_secret_warnings(origins, root)]
    return Loaded(environment, variables, tree, tuple(warnings), origins)


def _placeholders(origins: Origins) -> list[Problem]:
    problems = []
    for key in origins:
        origin = origins.last(key)
        items = list(enumerate(origin.value)) if isinstance(origin.value, list) else [(None, origin.value)]
        for index, item in items:
            left_in = placeholder_in(item)
            if left_in:
                place = origin.place if index is None else origin.place_of(index)
                problems.append(
                    Problem(
                        f"{dotted(key)}: the placeholder {left_in} is left in",
                        place,
                        "put your own value there",
                    )
                )
    return problems


def _derive(origins: Origins) -> None:
    for name, other in DERIVED.items():
        key, followed = undotted(name), undotted(other)
        origin = origins.find(key)
        if origin is not None and origin.value is None and origins.find(followed) is not None:
            origins.follow(key, followed, as_list=get_origin(schema_keys()[key].annotation) is tuple)


def _follow_workload(origins: Origins) -> None:
    """Let what `bench` leaves null follow the chosen workload.

    Raises:
        VariableError: there is no such workload.
    """
    chosen = origins.find(("bench", "workload"))
    if chosen is None or not isinstance(chosen.value, str):
        return
    workloads = ("bench", "workloads")
    names = list(dict.fromkeys(key[2] for key in origins.below(workloads) if _is_entry(origins, key)))
    if chosen.value not in names:
        close = nearest(chosen.value, names)
        raise VariableError(
            f"there is no workload {chosen.value}" + (f", did you mean {close}?" if close else ""),
            place=chosen.place,
            remedy=f"there are: {', '.join(names) or 'none'}; bench.workloads holds them",
        )
    for name in OF_WORKLOAD:
        key, followed = ("bench", name), (*workloads, chosen.value, name)
        origin = origins.find(key)
        if origin is not None and origin.value is None and origins.find(followed) is not None:
            origins.follow(key, followed, as_list=False)


def _is_entry(origins: Origins, key: Key) -> bool:
    """Tell whether a key names a workload; one that was set to null is taken out."""
    return len(key) > 2 and origins.last(key[:3] if origins.find(key[:3]) else key).value is not None


def _secrets(origins: Origins, root: Path, environ: Mapping[str, str]) -> dict[Key, Any]:
    secrets: dict[Key, Any] = {}
    problems: list[Problem] = []
    for key, schema in schema_keys().items():
        origin = origins.find(key)
        if schema.secret and origin is not None:
            secrets[key], wrong = fetch(dotted(key), origin, root, environ)
            problems += wrong
    raise_all(problems)
    return secrets


def _secret_warnings(origins: Origins, root: Path) -> list[Problem]:
    secrets = [key for key, schema in schema_keys().items() if schema.secret]
    return [
        warning for key in secrets for warning in readable_by_others(dotted(key), origins.last(key), root)
    ]


def _nested(origins: Origins, secrets: Mapping[Key, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key in origins:
        value = secrets[key] if key in secrets else origins.last(key).value
        node = tree
        for part in key[:-1]:
            node = node.setdefault(part, {})
        schema = schema_of(key)
        if value is not None or schema is None or not schema.open:
            node[key[-1]] = value
    return tree


def _locate(origins: Origins, key: tuple[str | int, ...], file: Place) -> Place:
    """Find where a key is written, or the list that it is an item of; else the environment's file."""
    words = tuple(part for part in key if isinstance(part, str))
    origin = origins.find(words)
    if origin is not None:
        return origin.place_of(*key[len(words) :])
    for inner in origins.below(words):
        origin = origins.last(inner)
        return origin.document.place(*origin.path[: len(origin.path) - len(inner) + len(words)])
    return file


def _position(order: Mapping[Key, int], key: Key) -> int:
    """Find a key's place in the schema's order; what lies in a mapping stands where the mapping does."""
    return next((order[key[:end]] for end in range(len(key), 0, -1) if key[:end] in order), 0)


def _at(tree: Any, key: Key) -> Any:
    for part in key:
        tree = tree.get(part)
    return tree
