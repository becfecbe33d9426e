"""How a step is done by hand: what a person would type, how to look at it, how to take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Argv = Sequence[str]


@dataclass(frozen=True)
class Manual:
    """A step's part of the written runbook. All of it comes from the variables: no cloud is asked.

    Args:
        commands: argvs, in order, that do what the step does; from the builders that its changes use.
        check: argvs that show whether it is done.
        undo: argvs that take it back; empty where nothing can or need be taken back, and `note` says why.
        note: what to know before typing, in sentences.
    """

    commands: Sequence[Argv] = ()
    check: Sequence[Argv] = ()
    undo: Sequence[Argv] = ()
    note: str = ""
