"""A YAML file as plain values, with the line of every key: variables and playbooks are read through it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from runbook.engine.errors import Place, UserError

KeyPath = tuple[str | int, ...]

_PLACEHOLDER: Final = re.compile(r"<YOUR[_ -][^<>]*>|\{YOUR[_ -][^{}]*\}", re.IGNORECASE)
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """What a YAML file says, and where.

    Args:
        source: the file, or the setting, that it came from.
        value: mappings, lists and scalars; None for an empty file.
        lines: the line of each key and list item, counted from 1.
    """

    source: Place
    value: Any = field(repr=False)
    lines: Mapping[KeyPath, int] = field(default_factory=dict, repr=False)

    def place(self, *path: str | int) -> Place:
        """Point at a key, or at the nearest one above it that is written down."""
        for length in range(len(path), 0, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return Place(self.source.source, line)
        return self.source


def load_document(path: Path, error: type[UserError] = UserError) -> Document:
    """Read a YAML 1.2 file.

    Args:
        path: the file.
        error: what to raise.

    Raises:
        UserError: of the type asked for; the file is not there, is no YAML, or says one thing twice.
    """
    place = Place.in_file(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise error(f"cannot be read: {cause.strerror}", place=place) from cause
    except UnicodeDecodeError as cause:
        raise error("is not a text file in UTF-8", place=place) from cause
    return parse_document(text, place, error)


def parse_document(
    text: str, source: Place, error: type[UserError] = UserError, *, lined: bool = True
) -> Document:
    """Read YAML 1.2 from a text.

    Args:
        text: one YAML document.
        source: what to name in errors.
        error: what to raise.
        lined: whether the source is a file, so that its lines can be named.

    Raises:
        UserError: of the type asked for; the text is no YAML, or says one thing twice.
    """
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as cause:
        line = cause.problem_mark.line + 1 if cause.problem_mark else None
        problem = str(cause.problem or cause.context)
        raise _not_yaml(text, Place(source.source, line), problem, error, lined=lined) from cause
    except YAMLError as cause:
        raise error(f"is not valid YAML: {_first_line(cause)}", place=source) from cause
    reader = _Reader(source, error, lined=lined)
    value = None if node is None else reader.value(node, ())
    return Document(source, value, reader.lines)


def placeholder_in(value: object) -> str | None:
    """Return the placeholder that was left in a value, such as `<YOUR_BUCKET>`, or None.

    `{YOUR_BUCKET}` is a mapping to YAML, from the name to nothing.
    """
    if isinstance(value, Mapping):
        found = [f"{{{key}}}" for key, inner in value.items() if inner is None]
        return next((name for name in found if _PLACEHOLDER.fullmatch(name)), None)
    match = _PLACEHOLDER.search(value) if isinstance(value, str) else None
    return match.group() if match else None


class _Reader:
    """Turns the nodes of one document into values, and notes where each stands."""

    def __init__(self, source: Place, error: type[UserError], *, lined: bool) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._source = source
        self._error = error
        self._lined = lined
        self._open: list[Node] = []

    def value(self, node: Node, path: KeyPath) -> Any:
        """Return the value of a node and of all below it."""
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if node in self._open:
            raise self._wrong(node, "an alias that holds itself")
        self._open.append(node)
        try:
            return self._sequence(node, path) if isinstance(node, SequenceNode) else self._mapping(node, path)
        finally:
            self._open.pop()

    def _mapping(self, node: Node, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, inner in self._keys(node):
            if key in result:
                first = self.lines[(*path, key)]
                raise self._wrong(
                    inner[0], f"the key {key} is already set in line {first}", "keep one of the two"
                )
            self.lines[*path, key] = inner[0].start_mark.line + 1
            result[key] = self.value(inner[1], (*path, key))
        return result

    def _keys(self, node: Node) -> Iterator[tuple[str, tuple[Node, Node]]]:
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise self._wrong(key, "a key must be a single word")
            yield key.value, (key, value)

    def _sequence(self, node: SequenceNode, path: KeyPath) -> list[Any]:
        for index, inner in enumerate(node.value):
            self.lines[*path, index] = inner.start_mark.line + 1
        return [self.value(inner, (*path, index)) for index, inner in enumerate(node.value)]

    def _scalar(self, node: ScalarNode) -> Any:
        kind = str(node.tag).removeprefix(_TAG)
        text = node.value
        try:
            if kind == "int":
                return int(text.replace("_", ""), 0 if text.lstrip("+-")[:2] in {"0x", "0o", "0b"} else 10)
            if kind == "float":
                return _float(text)
        except ValueError as cause:
            raise self._wrong(node, f"{text} is no number") from cause
        if kind == "bool":
            return text.lower() in {"true", "yes", "on"}  # the latter two only after %YAML 1.1
        if kind == "null":
            return None
        if kind in {"str", "timestamp"}:
            return text
        raise self._wrong(node, f"{node.tag} is not known here", "write the value plainly")

    def _wrong(self, node: Node, message: str, remedy: str | None = None) -> UserError:
        line = node.start_mark.line + 1 if self._lined else None
        return self._error(message, place=Place(self._source.source, line), remedy=remedy)


def _float(text: str) -> float:
    plain = text.replace("_", "").lower()
    return float(plain.replace(".inf", "inf").replace(".nan", "nan"))


def _not_yaml(text: str, at: Place, problem: str, error: type[UserError], *, lined: bool) -> UserError:
    """Say what is wrong in the operator's terms where the usual mistakes can be recognised."""
    place = at if lined else Place(at.source)
    lines = text.splitlines()
    line = lines[at.line - 1] if at.line and at.line <= len(lines) else ""
    left_in = placeholder_in(line)
    if left_in:
        return error(f"the placeholder {left_in} is left in", place=place, remedy="put your own value there")
    if "\\t" in problem:
        return error("a tab where YAML wants spaces", place=place, remedy="indent with spaces")
    return error(f"is not valid YAML: {problem}", place=place, remedy="check quotes, colons and indentation")


def _first_line(cause: Exception) -> str:
    return next(iter(str(cause).splitlines()), type(cause).__name__)
