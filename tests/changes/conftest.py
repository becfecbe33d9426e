"""A server that runs, an operator who changes variables, and what a check promises of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.conftest import Operator, new_operator

DEPLOY = ("deploy",)
WHOLE = ("setup", "deploy")
"""Where the bucket, the grant or the nodes change too."""

Told = list[tuple[str, Any, Any]]


@dataclass(frozen=True)
class Changed:
    """What a check promised and a run did: paths with before and after, and what was lost."""

    told: Told
    losses: list[str]

    @property
    def paths(self) -> list[str]:
        """The paths of all differences."""
        return [path for path, _, _ in self.told]

    @property
    def deleted(self) -> list[str]:
        """What was deleted."""
        return [path for path, _, after in self.told if after is None and "." not in path]


@dataclass(frozen=True)
class Server:
    """A server that runs, and lines that change it."""

    operator: Operator

    def changes(self, *settings: str, tasks: Sequence[str] = DEPLOY) -> Changed:
        """Check, run and run again with these variables.

        What holds for every change: the run does what the check says, then nothing is left to do, and the
        server answers.
        """
        words = [word for setting in settings for word in ("--set", setting)]
        code, planned = self._line(*tasks, "--check", "--json", *words)
        assert code == 2, planned
        code, done = self._line(*tasks, "--yes", "--json", *words)
        assert code == 0, errors(done)
        promise, deed = told(planned), told(done)
        assert deed.told == promise.told
        again = self.operator.inv(*tasks, "smoke", *words)
        assert again.code == 0, again.out + again.error
        assert again.recap["changed"] == 0, again.out
        return deed

    def _line(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        ended = self.operator.inv(*words)
        return ended.code, [json.loads(line) for line in ended.out.splitlines()]


def told(events: list[dict[str, Any]]) -> Changed:
    """Collect the differences of a line's changes, and their losses."""
    changes = [event["change"] for event in events if event["event"] == "change_begun"]
    found = [
        (item["path"], item["before"], item["after"]) for change in changes for item in change["differences"]
    ]
    return Changed(
        sorted(found, key=lambda item: item[0]), [item["loss"] for item in changes if item["loss"]]
    )


def errors(events: list[dict[str, Any]]) -> str:
    """Say what went wrong."""
    return "\n".join(
        event["outcome"]["error"]["message"]
        for event in events
        if event["event"] == "step_ended" and event["outcome"]["error"]
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has been deployed; each test changes it from what the one before it left."""
    environ = {"SERVER_KEY": "s3cret-key", "OPENAI_API_KEY": "s3cret-key"}
    for operator in new_operator(tmp_path_factory.mktemp("home"), environ):
        ended = operator.inv("setup", "deploy")
        assert ended.code == 0, ended.out + ended.error
        yield Server(operator)
