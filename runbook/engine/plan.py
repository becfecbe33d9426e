"""The plan of a line: which steps run, and which wait for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import accumulate
from math import inf
from typing import Any

from runbook.engine.errors import UserError
from runbook.engine.events import StepFace
from runbook.engine.playbook import Playbook, StepSpec, all_steps


@dataclass(frozen=True)
class Selection:
    """Which steps of a line are wanted.

    Args:
        tags: only steps that carry one of these; empty means all.
        skip_tags: no step that carries one of these.
        start_at: a section or name; steps before it are left out.
    """

    tags: frozenset[str] = field(default_factory=frozenset)
    skip_tags: frozenset[str] = field(default_factory=frozenset)
    start_at: str | None = None


@dataclass(frozen=True)
class PlannedStep:
    """A step of the line with what it waits for on this line.

    Args:
        spec: the step as its playbook has it.
        needs: sections of steps of this line.
    """

    spec: StepSpec
    needs: tuple[str, ...]

    @property
    def face(self) -> StepFace:
        """Name the step as events do."""
        return StepFace(self.spec.section, self.spec.name, self.spec.uses, self.needs)


def plan(steps: Sequence[StepSpec], selection: Selection, variables: Mapping[str, Any]) -> list[PlannedStep]:
    """Order a line's steps.

    A step waits for the steps that its `needs` names, where they count. One without `needs` is a barrier: it
    waits for all before it on the line, and all after it wait for it. A step that is left out hands its
    needs on.

    Args:
        steps: of all playbooks of the line, in order.
        selection: which of them are wanted.
        variables: the merged variables, nested; a need's condition is about them.

    Raises:
        UserError: `start_at` names no step of the line.
        PlaybookError: a need's condition cannot be judged.
    """
    wanted = {step.section for step in _select(steps, selection)}
    awaited = _awaited(steps, variables)
    return [
        PlannedStep(step, tuple(_on_this_line(step.section, awaited, wanted)))
        for step in steps
        if step.section in wanted
    ]


def find_steps(playbooks: Sequence[Playbook], names: Sequence[str]) -> list[StepSpec]:
    """Find steps by section or name, in the order asked for.

    Args:
        playbooks: all of them.
        names: sections such as `2.3.1`, or `2.3` for all below it, step names, or step modules that one
            step alone uses.

    Raises:
        UserError: no step is called that.
    """
    known = list(all_steps(playbooks))
    return [step for name in names for step in _below(known, name) or [_find(known, name)]]


def _below(steps: Sequence[StepSpec], section: str) -> list[StepSpec]:
    return [step for step in steps if section and step.section.startswith(f"{section}.")]


def _find(steps: Sequence[StepSpec], name: str, where: str = "") -> StepSpec:
    wanted = _folded(name)
    for spelling in ("section", "name", "uses"):
        found = [step for step in steps if _folded(getattr(step, spelling)) == wanted]
        if len(found) > 1:
            sections = ", ".join(f"{step.section} ({step.playbook})" for step in found)
            raise UserError(f"{name!r} is several steps: {sections}", remedy="name one by its section")
        if found:
            return found[0]
    spellings = [spelling for step in steps for spelling in (step.section, step.name, step.uses)]
    nearest = get_close_matches(name, spellings, n=1)
    remedy = f"did you mean {nearest[0]!r}? all steps: inv steps" if nearest else "all steps: inv steps"
    raise UserError(f"there is no step {name!r}{where}", remedy=remedy)


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")


def _select(steps: Sequence[StepSpec], selection: Selection) -> list[StepSpec]:
    first = steps.index(_find(steps, selection.start_at, " on this line")) if selection.start_at else 0
    return [
        step
        for step in steps[first:]
        if (not selection.tags or selection.tags & set(step.tags))
        and not selection.skip_tags & set(step.tags)
    ]


def _awaited(steps: Sequence[StepSpec], variables: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Map each section to the sections that come directly before it."""
    barriers = _barriers(steps)
    awaited: dict[str, tuple[str, ...]] = {}
    barrier: tuple[str, ...] = ()
    for step in steps:
        if step.needs is None:
            awaited[step.section] = tuple(awaited)
            barrier = (step.section,)
        else:
            counting = [need.section for need in step.needs if need.counts(variables)]
            # what stands behind a later barrier waits for this step: to wait for it would be for ever
            own = tuple(need for need in counting if barriers.get(need, inf) <= barriers[step.section])
            awaited[step.section] = (*own, *(section for section in barrier if section not in own))
    return awaited


def _barriers(steps: Sequence[StepSpec]) -> dict[str, int]:
    """Map each section to the number of barriers up to it, itself included."""
    counts = accumulate(step.needs is None for step in steps)
    return {step.section: count for step, count in zip(steps, counts, strict=True)}


def _on_this_line(section: str, awaited: dict[str, tuple[str, ...]], wanted: set[str]) -> list[str]:
    found: dict[str, None] = {}
    for need in awaited[section]:
        if need in wanted:
            found[need] = None
        else:
            found.update(dict.fromkeys(_on_this_line(need, awaited, wanted)))
    return list(found)
