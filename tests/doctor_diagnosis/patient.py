"""A cloud that is broken by scenarios and examined by the doctor, in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.clients.connections import Connections
from runbook.clients.kube.kubeconfig import kubeconfig_path
from runbook.doctor.diagnosis import diagnose
from runbook.doctor.finding import Finding
from tests.rehearsal.stand_in import StandIn
from tests.steps_kube.deployment_place import SETUP, Place, variables_with


@dataclass(frozen=True)
class Patient:
    """A cloud, and the environment that looks at it.

    Args:
        place: the stand-in with this environment's variables.
    """

    place: Place

    def with_settings(self, *settings: str) -> Patient:
        """The same cloud in an environment with other variables."""
        return Patient(self.place.with_settings(*settings))

    def emptied(self) -> Patient:
        """Nothing in the cloud, and nothing known of earlier."""
        self.place.cloud.control("POST", "reset")
        self.place.cloud.control("PUT", "settings", {"time_scale": 0, "latency_ms": 0})
        shutil.rmtree(self.place.home / ".runs", ignore_errors=True)
        return self

    def play(self, scenario: str) -> None:
        """What `inv rehearsal.scenario` does."""
        kubeconfig = kubeconfig_path(self.place.loaded.variables, self.place.home, "rehearsal")
        self.place.cloud.control("POST", f"scenarios/{scenario}", {"kubeconfig": str(kubeconfig)})

    def set_up(self) -> None:
        """What `inv setup` does."""
        self.run(*SETUP)

    def run(self, *steps: str, **arguments: Any) -> None:
        """Run steps, all of which must go well."""
        for outcome in self.place.line(*((uses, arguments) for uses in steps), check=False):
            assert outcome.error is None, outcome.error

    def findings(self) -> list[Finding]:
        """What the doctor finds."""
        connections = Connections(self.place.loaded.variables, self.place.home)
        with ExitStack() as kept:
            kept.callback(connections.close)
            return diagnose(self.place._context(connections, kept, check=True))

    def named(self) -> list[str]:
        """The symptoms that the doctor names, and what it finds broken without a name."""
        return [finding.topic for finding in self.findings() if finding.verdict != "ok"]


@contextmanager
def opened_in(home: Path, settings: Sequence[str] = ()) -> Iterator[Patient]:
    """Open a stand-in in a folder.

    Args:
        home: RUNBOOK_HOME.
    """
    cloud = StandIn(home / ".rehearsal")
    cloud.up()
    try:
        yield Patient(Place(cloud, variables_with(*settings)))
    finally:
        cloud.session.close()
        cloud.down()
