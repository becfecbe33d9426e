"""What the API server finds wrong with a manifest, told with the template's line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from runbook.clients.kube.failures import ImmutableFieldError
from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import ManifestError, Place
from runbook.steps.kube.templates import template_line
from runbook.steps.kube.workload import Manifest

_PREAMBLE: Final = re.compile(r"failed to create typed patch object \([^)]*\): (?:errors:\s*)?")
_FIELD: Final = re.compile(r"(?:^|[\s\"(])\.?((?:metadata|spec|data|type)[\w.\[\]\"=,/-]*)(?=[:\" )]|$)")
_STEP: Final = re.compile(r"[^.\[\]]+|\[[^\]]*\]")
_NAMED: Final = re.compile(r'(\w+)="?([^",\]]+)')


@contextmanager
def located(manifest: Manifest, wanted: Object) -> Iterator[None]:
    """Point refusals of an object at the template's line that they are about.

    Args:
        manifest: that the object comes from.
        wanted: the object.

    Raises:
        ManifestError: the API server cannot take the object.
    """
    try:
        yield
    except ImmutableFieldError:
        raise
    except ManifestError as error:
        told = _PREAMBLE.sub("", error.message)
        place = Place.in_file(manifest.template, _line(manifest, wanted, told))
        raise ManifestError(f"{Reference.to(wanted)}: {told}", place=place) from error


def _line(manifest: Manifest, wanted: Object, told: str) -> int | None:
    field = _FIELD.search(told)
    for document in YAML(typ="rt").compose_all(manifest.text):
        if field and isinstance(document, MappingNode) and _is_of(document, wanted):
            line = _deepest(document, _STEP.findall(field[1]))
            return template_line(manifest.template, manifest.text.splitlines()[line])
    return None


def _is_of(document: MappingNode, wanted: Object) -> bool:
    kind, metadata = _value(document, "kind"), _value(document, "metadata")
    name = _value(metadata, "name") if metadata is not None else None
    texts = [node.value if isinstance(node, ScalarNode) else None for node in (kind, name)]
    return texts == [wanted["kind"], wanted["metadata"]["name"]]


def _deepest(node: Node, steps: list[str]) -> int:
    """Follow a field's path as far as it leads; give the line of the last key, counted from 0."""
    line: int = node.start_mark.line
    for step in steps:
        if isinstance(node, MappingNode):
            key = next((key for key, _ in node.value if key.value == step), None)
            inner = _value(node, step)
        elif isinstance(node, SequenceNode):
            key = inner = _item(node, step.strip("[]"))
        else:
            return line
        if key is None or inner is None:
            return line
        line, node = key.start_mark.line, inner
    return line


def _value(node: Node, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _item(node: SequenceNode, which: str) -> Node | None:
    """Find a list's item by its number, or by the values that identify it."""
    if which.isdecimal():
        return node.value[int(which)] if int(which) < len(node.value) else None
    keys = _NAMED.findall(which)
    return next((item for item in node.value if all(_has(item, name, text) for name, text in keys)), None)


def _has(item: Node, name: str, text: str) -> bool:
    """Compare a field of a list's item; one that it leaves out is the default, which the key has."""
    found = _value(item, name)
    return found is None or bool(found.value == text)
