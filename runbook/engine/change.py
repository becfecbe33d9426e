"""What a step yields: a change that it would make, or an action that changes no resource."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

FactKey = tuple[str, ...]


class _Unknown:
    """The type of UNKNOWN."""

    def __repr__(self) -> str:
        return "(known after apply)"


UNKNOWN: Final = _Unknown()
"""A planned fact's value that only the real change brings into being."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be.

    Args:
        path: what differs, such as `cluster/demo.addonsConfig.gcsFuseCsiDriverConfig.enabled`.
        before: what is; None where there is nothing.
        after: what should be; None where there should be nothing.
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """One call that mends one or more differences. What is printed and what is done come from one object.

    Args:
        differences: what the call mends, at least one.
        command: argv of the equivalent command that a person would type; empty where there is none.
        apply: makes the change and returns when it is made (an operation has ended).
        planned: the facts as they will be, by key. Check mode plans on with them; after a real change the
            keys, and all keys below them, are read again.
        loss: what is lost for good when this is done, in words; asked about unless `--yes`.
        warning: what the operator should know before it is done.
    """

    differences: Sequence[Difference]
    command: Sequence[str]
    apply: Callable[[], object]
    planned: Mapping[FactKey, Any] = field(default_factory=dict)
    loss: str | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Action:
    """Something that takes time or talks to a server but changes no resource: wait, forward, ask, follow.

    Check mode does not do it. It is not a change: a step that only acts is `ok`.

    Args:
        what: shown while it runs, such as `operation-1 (CREATE_CLUSTER)`.
        act: does it and returns when it is done.
        refreshes: facts, with all below them, that are read again afterwards.
        command: argv of the equivalent command, where there is one.
    """

    what: str
    act: Callable[[], object]
    refreshes: Sequence[FactKey] = ()
    command: Sequence[str] = ()


@dataclass(frozen=True)
class Skip:
    """Returned by a step that does not apply here.

    Args:
        reason: why, in words.
    """

    reason: str


StepResult = Generator[Change | Action, None, str | Skip]
"""A step: yields changes and actions, returns why it is `ok` (the reason, in words) or a Skip."""
