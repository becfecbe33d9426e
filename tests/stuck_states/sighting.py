"""A wait that is to end in time, and somebody beside it who sees when its state became visible."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from typing import Final

import pytest

from runbook.clients.kube.objects import Object
from runbook.engine.errors import FailedError
from tests.steps_kube.deployment_place import SERVER, Place
from tests.steps_kube.pasted import bare_commands

SECONDS: Final = 2.0
"""From a state that is visible to the end of the wait."""
SHORTEST_PATIENCE: Final = 3.0
"""Of what may pass by itself, where the rehearsal's time has no length."""
KINDS: Final = (("v1", "Pod"), ("apps/v1", "Deployment"), ("v1", "PersistentVolumeClaim"))


class Sighting(threading.Thread):
    """Looks for a state from outside, and notes when it was first visible.

    Args:
        shows: a regular expression, searched in Pods, Deployments, claims and their Events.
    """

    def __init__(self, place: Place, shows: str) -> None:
        super().__init__(daemon=True)
        self._place, self._shows = place, re.compile(shows)
        self.over = threading.Event()
        self.at: float | None = None

    def run(self) -> None:
        with self._place.cluster() as cluster:
            while self.at is None and not self.over.wait(0.05):
                found: list[Object] = []
                for version, kind in KINDS:
                    found += cluster.list(version, kind, "default")
                names = {item["metadata"]["name"] for item in found}
                found += [
                    event
                    for event in cluster.list("v1", "Event", "default")
                    if event["involvedObject"]["name"] in names
                ]
                if self._shows.search(json.dumps(found)):
                    self.at = time.monotonic()


@dataclass(frozen=True)
class Ending:
    """How a wait ended.

    Args:
        error: what it told.
        seconds: from the state's being visible to its end.
    """

    error: FailedError
    seconds: float


def awaited(place: Place, shows: str) -> Ending:
    """Apply, which must fail, and tell how long after the state was visible.

    Args:
        shows: what the API shows of the state.
    """
    sighting = Sighting(place, shows)
    sighting.start()
    error = place.apply("kube.apply", **SERVER).error
    ended = time.monotonic()
    sighting.over.set()
    sighting.join()
    assert isinstance(error, FailedError), error
    assert not bare_commands(error.remedy or ""), error.remedy
    assert sighting.at is not None, "the state was not visible before the wait ended"
    return Ending(error, ended - sighting.at)


def assert_ended(
    ending: Ending,
    capsys: pytest.CaptureFixture[str],
    name: str,
    cause: str,
    remedy: str,
    *,
    after: float = 0,
) -> None:
    """Make sure that a wait ended in time, and told cause and remedy; print how long it took.

    Args:
        ending: of the wait.
        name: of the state.
        after: seconds that the state was to be given.
    """
    assert cause in ending.error.message
    assert remedy in (ending.error.remedy or "")
    with capsys.disabled():
        print(f"\n{name}: ended {ending.seconds:.2f} s after it was visible")
    assert after <= ending.seconds < after + SECONDS
