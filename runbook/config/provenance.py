"""Where a value came from, and what it overrode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runbook.config.keys import Key, dotted, schema_of
from runbook.config.secret import Secret
from runbook.engine.document import Document, placeholder_in
from runbook.engine.errors import Place


@dataclass(frozen=True)
class Origin:
    """One layer's word on one variable.

    Args:
        value: what it says; where a secret is kept, not the secret.
        document: the file or setting that says it.
        path: the key inside that document.
        same_as: the variable that it follows, where it was left null.
    """

    value: Any
    document: Document
    path: tuple[str, ...]
    same_as: str | None = None

    @property
    def place(self) -> Place:
        """The line that says it."""
        return self.document.place(*self.path)

    def place_of(self, *inside: str | int) -> Place:
        """The line of an item inside the value."""
        return self.document.place(*self.path, *inside)


@dataclass(frozen=True)
class Provenance:
    """A variable's value and its history.

    Args:
        key: its name, with dots.
        value: as the steps see it.
        origins: every layer's word, the one that holds first.
    """

    key: str
    value: Any
    origins: tuple[Origin, ...]

    @property
    def place(self) -> Place:
        """The line that holds."""
        return self.origins[0].place

    @property
    def overrode(self) -> tuple[Origin, ...]:
        """What was said below, the latest first."""
        return self.origins[1:]


class Origins:
    """The merged layers: every layer's word on every variable, layer upon layer."""

    def __init__(self) -> None:
        self._said: dict[Key, list[Origin]] = {}
        self._groups: set[Key] = set()

    def add(self, document: Document, prefix: Key = ()) -> None:
        """Lay a document over what is there.

        Args:
            document: a file, or a setting's value.
            prefix: the key that the document's value belongs to.
        """
        self._add(document.value, document, prefix, len(prefix))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._said)

    def last(self, key: Key) -> Origin:
        """Return the word that holds."""
        return self._said[key][-1]

    def find(self, key: Key) -> Origin | None:
        """Return the word that holds, or None where nobody has said one."""
        said = self._said.get(key)
        return said[-1] if said else None

    def follow(self, key: Key, other: Key, *, as_list: bool) -> None:
        """Let a variable that was left null follow another one.

        Args:
            key: the variable.
            other: the one that it follows.
            as_list: whether it is a list of which the other is the only item.
        """
        followed = self._said[other][-1]
        value = [followed.value] if as_list else followed.value
        self._said[key][-1] = Origin(value, followed.document, followed.path, dotted(other))

    def history(self, key: Key) -> tuple[Origin, ...]:
        """Return every layer's word, the one that holds first."""
        return tuple(reversed(self._said.get(key, ())))

    def below(self, key: Key) -> list[Key]:
        """List the variables inside a group, or the variable itself."""
        return [known for known in self._said if known[: len(key)] == key]

    def _add(self, value: Any, document: Document, key: Key, skip: int) -> None:
        if isinstance(value, dict) and value and not _is_value(value, key):
            for name, inner in value.items():
                self._add(inner, document, (*key, name), skip)
        elif key and not (value == {} and key in self._groups):
            self._say(key, Origin(_hidden(value, key), document, key[skip:]))

    def _say(self, key: Key, origin: Origin) -> None:
        above = [key[:length] for length in range(1, len(key))]
        for hidden in above + (self.below(key) if key in self._groups else []):
            self._said.pop(hidden, None)
        self._groups.discard(key)
        self._groups.update(above)
        self._said.setdefault(key, []).append(origin)


def _is_value(value: dict[str, Any], key: Key) -> bool:
    """Tell whether a mapping is one value: where a secret is kept, or a placeholder in braces."""
    return _is_secret(key) or placeholder_in(value) is not None


def _hidden(value: Any, key: Key) -> Any:
    """Wrap a secret that a layer says outright, so that nothing downstream can print it."""
    outright = not isinstance(value, dict) and value is not None
    return Secret(str(value)) if outright and _is_secret(key) else value


def _is_secret(key: Key) -> bool:
    schema = schema_of(key)
    return schema is not None and schema.secret
