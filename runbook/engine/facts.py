"""Reads that all steps of a line share, and the plan that check mode lays over them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from runbook.engine.change import UNKNOWN, FactKey
from runbook.engine.errors import UnknownUntil

T = TypeVar("T")


@dataclass(frozen=True)
class Planned:
    """A fact as a planned change would leave it.

    Args:
        value: the fact, or UNKNOWN.
        step: the section of the step that plans it.
    """

    value: Any
    step: str


class Facts:
    """What has been read so far. A key is read once, by one thread, until it is forgotten.

    Keys are tuples that grow from general to particular, such as `("gke", "cluster", project, location)`:
    forgetting a key forgets all keys that begin with it.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[FactKey, threading.Lock] = {}
        self._values: dict[FactKey, Any] = {}
        self._planned: dict[FactKey, Planned] = {}
        self._forgotten: list[FactKey] = []

    def read(self, key: FactKey, load: Callable[[], T]) -> T:
        """Return the fact: as planned, as read before, or read now.

        Args:
            key: the fact's name.
            load: reads it; called at most once until the key is forgotten.

        Raises:
            UnknownUntil: a planned change makes the fact, and its value cannot be known before.
        """
        planned = self._planned.get(key)
        if planned is not None:
            if planned.value is UNKNOWN:
                raise UnknownUntil(planned.step)
            value: T = planned.value
            return value
        with self._lock_of(key):
            with self._guard:
                if key in self._values:
                    known: T = self._values[key]
                    return known
                forgotten_before = len(self._forgotten)
            found = load()
            with self._guard:
                if not _is_below(key, self._forgotten[forgotten_before:]):
                    self._values[key] = found
            return found

    def planned_by(self, key: FactKey) -> str | None:
        """Return the section of the step that plans this fact, or None where the fact is as read."""
        planned = self._planned.get(key)
        return planned.step if planned else None

    def plan(self, facts: Mapping[FactKey, Any], step: str) -> None:
        """Lay planned facts over what was read (check mode).

        Args:
            facts: values, or UNKNOWN, by key.
            step: the section of the step that plans them.
        """
        with self._guard:
            self._planned.update({key: Planned(value, step) for key, value in facts.items()})

    def forget(self, *keys: FactKey) -> None:
        """Have these facts, and all below them, read again when they are next asked for."""
        with self._guard:
            self._forgotten.extend(keys)
            for known in list(self._values):
                if _is_below(known, keys):
                    del self._values[known]

    def _lock_of(self, key: FactKey) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(key, threading.Lock())


def _is_below(key: FactKey, forgotten: Iterable[FactKey]) -> bool:
    return any(key[: len(beginning)] == beginning for beginning in forgotten)
