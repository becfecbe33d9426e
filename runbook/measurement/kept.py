"""The benchmarks that were kept, and which of them a word of the command line stands for."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook.engine.errors import Place, UserError
from runbook.measurement.comparison import Side
from runbook.measurement.document import Document, Scalar, read
from runbook.measurement.likeness import agree, configuration, likeness
from runbook.measurement.statistics import ENOUGH_RUNS

LAST: Final = "last"
BEST: Final = "best"
_FILES: Final = "bench*.json"
_MOST_RUNS: Final = 20
"""Older runs of a configuration say little of how the cloud is today."""

_Job = tuple[str, str, float]


@dataclass(frozen=True)
class Kept:
    """All benchmarks that are known, the oldest first.

    Args:
        documents: of every verdict.
    """

    documents: tuple[Document, ...]

    def candidate(self, word: str) -> Side:
        """Find the runs of one line, or of files.

        Args:
            word: an id, its beginning, `last`, a file, or a folder of files.

        Raises:
            UserError: nothing, or more than one line, is called that; or no run of it is a measurement.
        """
        side = _side(word, self._named(word))
        if not side.runs:
            raise UserError(
                f"{word}: no run of it is a measurement ({', '.join(side.left_out)})",
                remedy="inv history RUN shows what was found",
            )
        _refuse_mixed(side)
        return side

    def baseline(self, word: str, candidate: Side, allowed: frozenset[str]) -> Side:
        """Find the runs to compare with; one that is named stands for its whole configuration.

        The candidate's Jobs are not among them, under whatever id they were kept.

        Args:
            word: as for a candidate; `last` and `best` look among runs that are alike.
            allowed: keys of the fingerprint that may differ beside the server's.

        Raises:
            UserError: nothing, or more than one line, is called that.
        """
        if word == LAST:
            found = self._last(candidate, allowed)
        elif word == BEST:
            found = self._best(candidate, allowed)
        elif path := _path(word):
            side = _side(word, _without_jobs_of(candidate, _read_files(path)))
            _refuse_mixed(side)
            return side
        else:
            found = self._with_repeats(self._named(word), candidate)
        side = _side(word, found)
        return Side(side.name, side.runs[-_MOST_RUNS:], side.left_out)

    def line(self, run_id: str) -> tuple[Document, ...]:
        """Give the runs of one line."""
        return tuple(document for document in self.documents if document.run_id == run_id)

    def _named(self, word: str) -> Sequence[Document]:
        if path := _path(word):
            return _read_files(path)
        if word == LAST and self.documents:
            return self.line(self.documents[-1].run_id)
        found = [document for document in self.documents if document.id == word != document.run_id]
        if found:
            return found
        lines = dict.fromkeys(one.run_id for one in self.documents if one.run_id.startswith(word))
        if word in lines:
            return self.line(word)
        if len(lines) != 1 or not word:
            raise _not_one(word, lines)
        return self.line(next(iter(lines)))

    def _with_repeats(self, named: Sequence[Document], candidate: Side) -> Sequence[Document]:
        """Add the earlier runs of the same configuration: they are its history."""
        sound = [document for document in named if document.verdict.ok]
        if not sound:
            return named
        last = sound[-1]
        wanted = configuration(last)
        return [
            document
            for document in self._others(candidate)
            if agree(configuration(document), wanted) and _age(document) <= _age(last)
        ]

    def _last(self, candidate: Side, allowed: frozenset[str]) -> Sequence[Document]:
        earlier = [
            document
            for document in self._alike(candidate, allowed)
            if _age(document) < _age(candidate.runs[0])
        ]
        return self._with_repeats(earlier[-1:], candidate)

    def _best(self, candidate: Side, allowed: frozenset[str]) -> Sequence[Document]:
        return max(_by_configuration(self._alike(candidate, allowed)), key=_rank, default=[])

    def _alike(self, candidate: Side, allowed: frozenset[str]) -> list[Document]:
        return [
            document
            for document in self._others(candidate)
            if document.verdict.ok and not likeness(document, candidate.runs[-1], allowed).refused
        ]

    def _others(self, candidate: Side) -> list[Document]:
        own = {run.run_id for run in candidate.runs}
        others = [document for document in self.documents if document.run_id not in own]
        return _one_for_each_job(_without_jobs_of(candidate, others))


def read_kept(runs: Path, shared: Path | None = None) -> Kept:
    """Read the benchmarks that are kept; a file of an older form cannot be compared and is passed over.

    Args:
        runs: the folder .runs/.
        shared: a folder of documents that others wrote.
    """
    documents: dict[str, Document] = {}
    for path in (*(sorted(shared.glob("*.json")) if shared else ()), *sorted(runs.glob(f"*/{_FILES}"))):
        with suppress(UserError):
            document = read(path)
            documents[document.id] = document
    return Kept(tuple(sorted(documents.values(), key=_age)))


def _side(name: str, documents: Sequence[Document]) -> Side:
    sound = tuple(document for document in _one_for_each_job(documents) if document.verdict.ok)
    left_out = tuple(f"{one.id}: {one.verdict.name}" for one in documents if not one.verdict.ok)
    return Side(name, sound, left_out)


def _one_for_each_job(documents: Iterable[Document]) -> list[Document]:
    """Leave out what was kept of a Job again: it is one run, however often and by whomever it was looked at.

    The first that is sound stands for it: it was read nearest to the Job's end, with the variables of then.
    """
    first: dict[_Job, Document] = {}
    for document in sorted(documents, key=lambda one: (not one.verdict.ok, one.run_id, *_age(one))):
        first.setdefault(_job(document), document)
    return sorted(first.values(), key=_age)


def _without_jobs_of(candidate: Side, documents: Iterable[Document]) -> list[Document]:
    own = {_job(run) for run in candidate.runs}
    return [document for document in documents if _job(document) not in own]


def _job(document: Document) -> _Job:
    """Identify a document's Job; the name alone may be another cluster's as well."""
    return document.environment, document.job or document.id, document.started


def _refuse_mixed(side: Side) -> None:
    if len(_by_configuration(side.runs)) > 1:
        raise UserError(
            f"{side.name}: its runs measured different things", remedy="name one of them by its id"
        )


def _by_configuration(documents: Sequence[Document]) -> list[list[Document]]:
    """Group runs that are repeats; one without a key is in the first group that it may belong to."""
    groups: list[tuple[dict[str, Scalar], list[Document]]] = []
    for document in documents:
        told = configuration(document)
        known, runs = next((group for group in groups if agree(group[0], told)), ({}, []))
        if not runs:
            groups.append((known, runs))
        known.update(told)
        runs.append(document)
    return [runs for _, runs in groups]


def _age(document: Document) -> tuple[float, int, str]:
    return document.started, len(document.id), document.id


def _rank(runs: Sequence[Document]) -> tuple[bool, float]:
    """Order configurations: one that can be judged by first, then by throughput."""
    throughputs = [run.result.get("output_throughput", 0.0) for run in runs]
    return len(runs) >= ENOUGH_RUNS, statistics.median(throughputs)


def _path(word: str) -> Path | None:
    path = Path(word)
    return path if ("/" in word or word.endswith(".json")) and path.exists() else None


def _read_files(path: Path) -> Sequence[Document]:
    found = _files(path)
    if not found:
        raise UserError("holds no benchmark's document", place=Place.in_file(path))
    return sorted((read(file) for file in found), key=_age)


def _files(path: Path) -> Sequence[Path]:
    """List a folder's documents; a run's folder holds other files too."""
    return [path] if path.is_file() else sorted(path.glob(_FILES)) or sorted(path.glob("*.json"))


def _not_one(word: str, lines: Iterable[str]) -> UserError:
    found = list(lines)
    if found and word:
        return UserError(f"{word!r} is several runs: {', '.join(found)}", remedy="name one by its whole id")
    if word == BEST:
        return UserError(f"{BEST} is a baseline's word only", remedy=f"name the candidate: {LAST}, or an id")
    if word == LAST:
        return UserError("no benchmark is kept yet", remedy="inv bench measures one")
    return UserError(
        f"no benchmark is called {word!r}", remedy="all: inv history; a file is named by its path"
    )
