"""Playbooks: read, and validated before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runbook.engine.document import Document, load_document
from runbook.engine.errors import Place, PlaybookError
from runbook.engine.expression import condition, render
from runbook.engine.module import ModuleLibrary, StepModule
from runbook.engine.need import Need, read_needs
from runbook.engine.validation import misfit, misfit_path


class _Entry(BaseModel):
    """A step as a playbook spells it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    section: str = Field(min_length=1)
    name: str = Field(min_length=1)
    uses: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$")
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    when: str | bool | None = None
    tags: list[str] = Field(default_factory=list)
    needs: list[Any] | None = None
    retries: int = Field(default=0, ge=0, le=100)


@dataclass(frozen=True, eq=False)
class StepSpec:
    """A step of a playbook.

    Args:
        section: such as `2.3.1`; unique among all playbooks of a line.
        name: such as `TPU node pool`.
        uses: the step module.
        arguments: what `with:` says, before Jinja.
        when: a condition, before Jinja; None means always.
        tags: for --tags and --skip-tags.
        needs: steps that come first; None means all before it.
        retries: how often a passing failure is tried again.
        playbook: the playbook's name.
        place: where the step stands.
        round: counted from 1, where a line has the playbook more than once.
    """

    section: str
    name: str
    uses: str
    arguments: Mapping[str, Any]
    when: str | bool | None
    tags: Sequence[str]
    needs: Sequence[Need] | None
    retries: int
    playbook: str
    place: Place
    round: int = 1


@dataclass(frozen=True)
class Playbook:
    """An ordered list of steps.

    Args:
        name: the file's, without .yml.
        steps: in the order that people read.
    """

    name: str
    steps: Sequence[StepSpec]


@dataclass(frozen=True)
class BoundStep:
    """A step with its module and with arguments that fit it.

    Args:
        module: the step module.
        arguments: an instance of the module's `Arguments`.
        skip_reason: why it does not run, where its `when` says so.
    """

    module: StepModule
    arguments: BaseModel
    skip_reason: str | None


def playbook_names(folder: Path) -> list[str]:
    """List the playbooks of a folder."""
    return sorted(path.stem for path in folder.glob("*.yml"))


def load_playbook(folder: Path, name: str) -> Playbook:
    """Read one playbook.

    Args:
        folder: playbooks/.
        name: without .yml.

    Raises:
        PlaybookError: there is none of that name, or it is broken.
    """
    if name not in playbook_names(folder):
        nearest = get_close_matches(name, playbook_names(folder), n=1)
        known = ", ".join(playbook_names(folder))
        remedy = f"did you mean {nearest[0]}?" if nearest else f"there are: {known}"
        raise PlaybookError(f"there is no playbook {name!r}", place=Place.in_file(folder), remedy=remedy)
    document = load_document(folder / f"{name}.yml", PlaybookError)
    if not isinstance(document.value, list):
        raise PlaybookError("a playbook is a list of steps", place=document.place())
    steps = [_read_step(document, index, name) for index in range(len(document.value))]
    return Playbook(name, refuse_twins(steps))


def check_needs(playbooks: Sequence[Playbook]) -> None:
    """Make sure that every `needs` names a step and that no step waits for itself, whatever counts.

    Args:
        playbooks: all that there are, as a step may need one of another playbook.

    Raises:
        PlaybookError: an unknown section, or a circle.
    """
    steps = {step.section: step for step in all_steps(playbooks)}
    for step in steps.values():
        for need in step.needs or ():
            if need.section not in steps:
                raise _unknown(step, need, steps)
    for step in steps.values():
        if step.section in _all_needs(step, steps):
            raise PlaybookError(f"step {step.section} waits for itself", place=step.place)


def _unknown(step: StepSpec, need: Need, steps: Mapping[str, StepSpec]) -> PlaybookError:
    nearest = get_close_matches(need.section, steps, n=1)
    remedy = f"did you mean {nearest[0]!r}?" if nearest else "all steps: inv steps"
    return PlaybookError(
        f"step {step.section} needs {need.section!r}, which is no step", place=need.place, remedy=remedy
    )


def bind(step: StepSpec, library: ModuleLibrary, variables: Mapping[str, Any]) -> BoundStep:
    """Find a step's module and give it its arguments.

    Args:
        step: as its playbook has it.
        library: the step modules.
        variables: the merged variables, nested.

    Raises:
        PlaybookError: no such module, an undefined name, or arguments that do not fit.
    """
    module = library.load(step.uses, step.place)
    given = render(step.arguments, variables, step.place)
    try:
        arguments = module.arguments.model_validate(given)
    except ValidationError as error:
        raise misfit(error, step.place, f"{step.uses}: with", module.arguments) from error
    return BoundStep(module, arguments, _skip_reason(step, variables))


def _skip_reason(step: StepSpec, variables: Mapping[str, Any]) -> str | None:
    if step.when is None or condition(step.when, variables, step.place):
        return None
    return f"when: {step.when}"


def _read_step(document: Document, index: int, playbook: str) -> StepSpec:
    place = document.place(index)
    if not isinstance(document.value[index], dict):
        raise PlaybookError("a step is a mapping: section, name, uses, with ...", place=place)
    try:
        entry = _Entry.model_validate(document.value[index])
    except ValidationError as error:
        raise misfit(error, document.place(index, *misfit_path(error)), "the step", _Entry) from error
    return StepSpec(
        section=entry.section,
        name=entry.name,
        uses=entry.uses,
        arguments=entry.with_,
        when=entry.when,
        tags=tuple(entry.tags),
        needs=read_needs(document, index),
        retries=entry.retries,
        playbook=playbook,
        place=place,
    )


def refuse_twins(steps: Sequence[StepSpec]) -> Sequence[StepSpec]:
    """Return the steps of a playbook, or of a line, as they are.

    Raises:
        PlaybookError: two of them have the same section.
    """
    seen: dict[str, StepSpec] = {}
    for step in steps:
        if step.section in seen:
            raise PlaybookError(
                f"section {step.section!r} is already taken by {seen[step.section].place}", place=step.place
            )
        seen[step.section] = step
    return steps


def _all_needs(step: StepSpec, steps: Mapping[str, StepSpec]) -> set[str]:
    found: set[str] = set()
    waiting = list(step.needs or ())
    while waiting:
        section = waiting.pop().section
        if section not in found:
            found.add(section)
            waiting.extend(steps[section].needs or ())
    return found


def all_steps(playbooks: Sequence[Playbook]) -> Iterator[StepSpec]:
    """Go through the steps of all playbooks, in order."""
    for playbook in playbooks:
        yield from playbook.steps
