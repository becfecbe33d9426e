"""What is wrong with the variables: every problem of one load, told together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.engine.errors import Place, VariableError


@dataclass(frozen=True)
class Problem:
    """One variable that is wrong, or that the operator should look at.

    Args:
        message: what is wrong, with the variable's name.
        place: where it is written.
        remedy: what to do.
    """

    message: str
    place: Place
    remedy: str | None = None

    def __str__(self) -> str:
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{self.place}: {self.message}{remedy}"


class VariablesError(VariableError):
    """Several variables are wrong.

    Args:
        problems: at least two, in the order in which they should be mended.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = [f"{len(problems)} variables are wrong", *(f"  {problem}" for problem in problems)]
        super().__init__("\n".join(lines), place=problems[0].place)
        self.problems = tuple(problems)


def raise_all(problems: Sequence[Problem]) -> None:
    """Raise what was found, if anything.

    Raises:
        VariableError: there is at least one problem.
    """
    if len(problems) > 1:
        raise VariablesError(problems)
    for problem in problems:
        raise VariableError(problem.message, place=problem.place, remedy=problem.remedy)
