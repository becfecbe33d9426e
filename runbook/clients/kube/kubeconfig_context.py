"""One context of one or several kubeconfig files, merged as kubectl merges them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook.clients.kube.kubeconfig import read
from runbook.engine.errors import CredentialsError, Place, UserError

_SECTIONS: Final = {"clusters": "cluster", "users": "user", "contexts": "context"}


@dataclass(frozen=True)
class Item:
    """A cluster, user or context.

    Args:
        name: its name; empty where a context names no user.
        file: the file that it stands in; paths in it are seen from that file's folder.
        content: what it says.
    """

    name: str
    file: Path
    content: Mapping[str, Any]

    @property
    def place(self) -> Place:
        """The file, for an error."""
        return Place.in_file(self.file)

    def section(self, key: str) -> Mapping[str, Any]:
        """Give a part of it that has keys of its own; empty where it has none.

        Raises:
            UserError: it is something else.
        """
        return _mapping(self.content.get(key) or {}, key, self.file)

    def entries(self, key: str) -> list[Mapping[str, Any]]:
        """Give a list of it, of parts that have keys of their own.

        Raises:
            UserError: it is something else.
        """
        return _entries(self.content, key, self.file)

    def path(self, key: str) -> Path | None:
        """Give a path that it names."""
        named = self.content.get(key)
        return self.file.parent / Path(str(named)).expanduser() if named else None

    def data(self, key: str) -> bytes | None:
        """Give what it holds itself (KEY-data, base64), or else what the file that it names (KEY) holds.

        Raises:
            CredentialsError: neither can be read.
        """
        try:
            if inline := self.content.get(f"{key}-data"):
                return base64.b64decode("".join(str(inline).split()), validate=True)
            path = self.path(key)
            return path.read_bytes() if path else None
        except (OSError, binascii.Error) as error:
            raise CredentialsError(
                f"{key} of the kubeconfig cannot be read: {error}", place=self.place
            ) from error


@dataclass(frozen=True)
class KubeContext:
    """A cluster, and who asks it.

    Args:
        name: of the context.
    """

    name: str
    cluster: Item
    user: Item


def choose(files: Sequence[Path], wanted: str | None) -> KubeContext:
    """Find a context.

    Args:
        files: the kubeconfig files; where two say the same thing the first counts, as with kubectl.
        wanted: the context's name; None: the current one.

    Raises:
        UserError: there is no such file or context, or it names what is not there.
    """
    merged = _merged(files)
    contexts = merged.items["contexts"]
    name = wanted or merged.current
    if not name or name not in contexts:
        raise _unknown(name, merged)
    context = contexts[name]
    return KubeContext(
        name, _named(merged, context, "cluster", "clusters"), _named(merged, context, "user", "users")
    )


@dataclass(frozen=True)
class _Merged:
    files: Sequence[Path]
    items: Mapping[str, Mapping[str, Item]]
    current: str

    @property
    def place(self) -> Place:
        shown = [str(Place.in_file(file)) for file in self.files]
        return Place(", ".join(shown))


def _merged(files: Sequence[Path]) -> _Merged:
    present = [file for file in files if file.exists()]
    if not present:
        looked = _Merged(files, {}, "")
        raise UserError(
            "there is no kubeconfig file to read", place=looked.place, remedy="set kube.kubeconfig"
        )
    items: dict[str, dict[str, Item]] = {section: {} for section in _SECTIONS}
    current = ""
    for file in present:
        content = read(file)
        current = current or str(content.get("current-context") or "")
        for section, key in _SECTIONS.items():
            for entry in _entries(content, section, file):
                said = _mapping(entry.get(key) or {}, key, file)
                name = str(entry.get("name"))
                items[section].setdefault(name, Item(name, file, said))
    return _Merged(present, items, current)


def _entries(content: Mapping[str, Any], key: str, file: Path) -> list[Mapping[str, Any]]:
    found = content.get(key) or []
    if not isinstance(found, list):
        raise UserError(f"{key} of the kubeconfig is not a list", place=Place.in_file(file))
    return [_mapping(entry, f"an entry of {key}", file) for entry in found]


def _mapping(found: object, key: str, file: Path) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise UserError(f"{key} of the kubeconfig has no keys and values", place=Place.in_file(file))
    return found


def _unknown(name: str, merged: _Merged) -> UserError:
    there = ", ".join(sorted(merged.items["contexts"]))
    if not there:
        return UserError("the kubeconfig has no contexts", place=merged.place, remedy="set kube.kubeconfig")
    message = f"there is no context {name!r} in the kubeconfig" if name else "no context is the current one"
    return UserError(message, place=merged.place, remedy=f"set kube.context to one of {there}")


def _named(merged: _Merged, context: Item, key: str, section: str) -> Item:
    name = str(context.content.get(key) or "")
    if not name and key == "user":  # nobody logs in
        return Item("", context.file, {})
    found = merged.items[section].get(name)
    if found is None:
        raise UserError(f"the context names the {key} {name!r}, which is not there", place=context.place)
    return found
