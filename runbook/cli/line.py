"""One command line: its options, its folders and the steps that its tasks queue."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """The options that hold for the whole line.

    Args:
        environment: the name of vars/envs/NAME.yml.
        check: change nothing, show the plan.
        diff: show every difference in full.
        settings: KEY=VALUE over all variable files, in the order given.
        tags: only steps with one of these.
        skip_tags: no step with one of these.
        start_at: leave out the steps before this one.
        yes: every loss is confirmed beforehand.
        json: one JSON object a line on stdout, nothing else.
        verbose: every wait and condition is a line.
    """

    environment: str = "rehearsal"
    check: bool = False
    diff: bool = False
    settings: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    skip_tags: frozenset[str] = frozenset()
    start_at: str | None = None
    yes: bool = False
    json: bool = False
    verbose: bool = False

    @classmethod
    def of(cls, given: Iterable[Mapping[str, Any]], dry: bool) -> Options:
        """Merge the options that stand behind the tasks of a line; the last one wins, lists and tags add up.

        Args:
            given: each task's parsed options.
            dry: invoke's own -R/--dry.
        """
        told = list(given)
        return cls(
            environment=_last(told, "env") or os.environ.get("RUNBOOK_ENV") or "rehearsal",
            check=dry or _any(told, "check"),
            diff=_any(told, "diff"),
            settings=tuple(setting for options in told for setting in options["set"]),
            tags=_words(told, "tags"),
            skip_tags=_words(told, "skip_tags"),
            start_at=_last(told, "start_at"),
            yes=_any(told, "yes"),
            json=_any(told, "json"),
            verbose=_any(told, "verbose"),
        )


@dataclass(frozen=True)
class Gate:
    """The comparison that ends a line with a benchmark.

    Args:
        baseline: an id, its beginning, `last`, `best`, a file or a folder.
        allow: keys of the fingerprint that may differ beside the server's.
        decides: whether the comparison's exit code is the line's.
        markdown: a file to write, or `-` for stdout; empty: none.
        junit: a file to write; empty: none.
    """

    baseline: str
    allow: frozenset[str]
    decides: bool
    markdown: str
    junit: str


OPTION_NAMES = ("env", "check", "diff", "set", "tags", "skip_tags", "start_at", "yes", "json", "verbose")


@dataclass
class Line:
    """A command line while its tasks are gathered.

    Args:
        options: of the whole line.
        root: the folder of playbooks/, manifests/ and vars/.
        home: the folder of .runs/ and .rehearsal/ (RUNBOOK_HOME; default: root).
        playbooks: names of the playbooks whose steps are queued, in order.
        step_names: sections or names of steps asked for alone.
        rounds: how often a playbook is gone through, where that is more than once.
        run_ids: the runs that the line has made so far.
        gate: what a benchmark of the line is compared with, and how that is told.
        sweeps: whether a sweep is among them, whose result ends the line.
    """

    options: Options
    root: Path
    home: Path
    playbooks: list[str] = field(default_factory=list)
    step_names: list[str] = field(default_factory=list)
    rounds: dict[str, int] = field(default_factory=dict)
    run_ids: list[str] = field(default_factory=list)
    gate: Gate | None = None
    sweeps: bool = False

    @classmethod
    def of(cls, options: Options, root: Path) -> Line:
        """Start a line in the folder of tasks.py."""
        return cls(options, root, Path(os.environ.get("RUNBOOK_HOME") or root).absolute())

    @property
    def arguments(self) -> list[str]:
        """The command line as typed, without the folder that ./inv adds to it."""
        words = sys.argv[1:]
        return ["inv", *(words[2:] if words[:1] == ["--search-root"] else words)]

    @property
    def runs(self) -> Path:
        """The folder of run journals."""
        return self.home / ".runs"

    @property
    def queued(self) -> bool:
        """Whether steps wait to be run."""
        return bool(self.playbooks or self.step_names)

    def add_playbook(self, name: str) -> None:
        """Queue a playbook's steps."""
        if name not in self.playbooks:
            self.playbooks.append(name)

    def add_setting(self, key: str, value: str) -> None:
        """Set a variable as `--set KEY=VALUE` does; a task's own option stands above the line's."""
        self.options = replace(self.options, settings=(*self.options.settings, f"{key}={value}"))

    def add_steps(self, names: str) -> None:
        """Queue steps alone.

        Args:
            names: sections or names, comma-separated.
        """
        self.step_names.extend(name.strip() for name in names.split(",") if name.strip())


def _last(told: list[Mapping[str, Any]], name: str) -> str | None:
    return next((options[name] for options in reversed(told) if options[name]), None)


def _any(told: list[Mapping[str, Any]], name: str) -> bool:
    return any(options[name] for options in told)


def _words(told: list[Mapping[str, Any]], name: str) -> frozenset[str]:
    return frozenset(word for options in told for word in (options[name] or "").split(",") if word)
