"""One check of the preflight, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from runbook.doctor.finding import Finding, Verdict
from runbook.steps.context import Context


@dataclass(frozen=True)
class Answer:
    """What a check found.

    Args:
        verdict: how good that is.
        fact: what was found.
        remedy: what to do.
        about: which of several things it was, such as a program's name; empty: the check's one thing.
        evidence: what shows it.
    """

    verdict: Verdict
    fact: str
    remedy: str = ""
    about: str = ""
    evidence: Sequence[str] = ()


Answers = Iterator[Answer]


@dataclass(frozen=True)
class Check:
    """One check.

    Args:
        number: such as `P7`.
        title: what is looked at.
        look: looks at it.
        needs: numbers of the checks that must not have failed, or there is nothing to look at.
    """

    number: str
    title: str
    look: Callable[[Context], Answers]
    needs: Sequence[str] = ()

    def finding(self, answer: Answer) -> Finding:
        """Put an answer in the doctor's words."""
        topic = " ".join(filter(None, (self.number, self.title, answer.about)))
        return Finding(topic, answer.verdict, answer.fact, answer.remedy, tuple(answer.evidence))


def ok(fact: str, remedy: str = "", *, about: str = "") -> Answer:
    """All is well, or a step will see to it."""
    return Answer("ok", fact, remedy, about)


def warning(fact: str, remedy: str = "", *, about: str = "") -> Answer:
    """A run may go well, or slower, or cost more."""
    return Answer("warning", fact, remedy, about)


def failed(fact: str, remedy: str = "", *, about: str = "", evidence: Sequence[str] = ()) -> Answer:
    """A run would fail."""
    return Answer("failed", fact, remedy, about, evidence)
