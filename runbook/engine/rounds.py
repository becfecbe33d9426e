"""The steps of a playbook, more than once on the same line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from runbook.engine.need import Need
from runbook.engine.playbook import StepSpec


def rounds(steps: Sequence[StepSpec], times: int) -> Iterator[StepSpec]:
    """Give a playbook's steps so many times; each round waits for the one before it.

    The steps of a later round have the number of the round behind their section, such as `5.1#2`.

    Args:
        steps: of one playbook, in order.
        times: at least 1.
    """
    yield from steps
    for number in range(2, times + 1):
        for index, step in enumerate(steps):
            yield _again(step, steps, number, first=index == 0)


def _again(step: StepSpec, steps: Sequence[StepSpec], number: int, *, first: bool) -> StepSpec:
    sections = {other.section for other in steps}
    needs = step.needs
    if needs is not None:
        needs = tuple(
            replace(need, section=_numbered(need.section, number)) if need.section in sections else need
            for need in needs
        )
        if first:
            needs = (Need(_numbered(steps[-1].section, number - 1), step.place), *needs)
    name = f"{step.name}, round {number}"
    return replace(step, section=_numbered(step.section, number), name=name, needs=needs, round=number)


def _numbered(section: str, number: int) -> str:
    return section if number == 1 else f"{section}#{number}"
