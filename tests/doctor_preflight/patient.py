"""What the preflight says of a stand-in, and ways to make the stand-in ail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.cli.line import Line, Options
from runbook.cli.surroundings import contexts
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object
from runbook.doctor.finding import Finding
from runbook.doctor.preflight.run import examine
from runbook.engine.events import StepFace
from runbook.engine.facts import Facts
from runbook.engine.interruption import Interruption
from runbook.engine.notifier import Notifier, StepVoice
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from tests.rehearsal.stand_in import StandIn
from tests.steps_kube.deployment_place import variables_with

ROOT = Path(__file__).parents[2]
FACE = StepFace("doctor", "Doctor", "doctor", ())
PROJECT = "/v1/projects/rehearsal-project"
TPU_POOL = {
    "name": "tpu7x-pool",
    "initialNodeCount": 1,
    "locations": ["us-central1-c"],
    "config": {"machineType": "tpu7x-standard-4t"},
}
SYSTEM_POOL = {"name": "default-pool", "initialNodeCount": 1}


@dataclass
class Patient:
    """A stand-in and the variables with which it is looked at.

    Args:
        cloud: the stand-in.
        settings: over the environment `rehearsal`.
    """

    cloud: StandIn
    settings: list[str] = field(default_factory=list)

    def with_settings(self, *settings: str) -> Patient:
        """The same cloud, looked at with further variables."""
        return Patient(self.cloud, [*self.settings, *settings])

    def findings(self, number: str) -> list[Finding]:
        """Look at everything; give what one check found."""
        with self.context() as context:
            found = [finding for finding in examine(context) if finding.topic.split()[0] == number]
        assert found, number
        return found

    def finding(self, number: str) -> Finding:
        """Look at everything; give the one thing that a check found."""
        found = self.findings(number)
        assert len(found) == 1, found
        return found[0]

    def all(self) -> list[Finding]:
        """Look at everything."""
        with self.context() as context:
            return examine(context)

    @contextmanager
    def context(self) -> Iterator[Context]:
        """The doctor's own surroundings."""
        line = Line(Options(settings=tuple(self.settings)), ROOT, self.cloud.home.parent)
        loaded = variables_with(*self.settings)
        opening = contexts(
            line, loaded, "20261123-170000-1a2b", check=True, facts=Facts(), interruption=Interruption()
        )
        with opening as make:
            yield make(StepVoice(FACE, Notifier([])))

    @contextmanager
    def kubernetes(self) -> Iterator[KubeClient]:
        """Reach into the cluster as somebody else would."""
        with self.context() as context:
            yield client(context)

    def tell(self, **facts: Any) -> None:
        """Tell the stand-in of its projects."""
        self.cloud.control("PUT", "project", facts)

    def make_cluster(self, *, location: str = "us-central1", **fields: Any) -> None:
        """Have a cluster, with the system pool and the TPU pool unless told otherwise."""
        cluster = {"name": "rehearsal", "nodePools": [SYSTEM_POOL, TPU_POOL]} | fields
        cluster.setdefault("workloadIdentityConfig", {"workloadPool": "rehearsal-project.svc.id.goog"})
        self._make(location, "clusters", {"cluster": cluster})

    def make_pool(self) -> None:
        """Have the TPU pool in the cluster, or what becomes of it."""
        self._make("us-central1", "clusters/rehearsal/nodePools", {"nodePool": TPU_POOL})

    def _make(self, location: str, path: str, body: dict[str, Any]) -> None:
        place = f"{PROJECT}/locations/{location}"
        started = self.cloud.ask("POST", f"{place}/{path}", body)
        assert started.ok, started.text
        operation = f"{place}/operations/{started.json()['name']}"
        while self.cloud.get(operation)["status"] != "DONE":
            time.sleep(0.02)

    def report_status(self, path: str, status: dict[str, Any]) -> None:
        """Have a component of the cluster report another status.

        Args:
            path: of the object, below the API server's root.
        """
        cluster = self.cloud.get(f"{PROJECT}/locations/us-central1/clusters/rehearsal")
        answer = self.cloud.session.patch(
            f"https://{cluster['endpoint']}{path}/status",
            json={"status": status},
            headers={
                "Authorization": f"Bearer {self.cloud.token}",
                "Content-Type": "application/merge-patch+json",
            },
            verify=self.cloud.endpoints["ca_file"],
            timeout=30,
        )
        assert answer.ok, answer.text

    def apply(self, wanted: Object) -> None:
        """Have an object in the cluster."""
        with self.kubernetes() as cluster:
            cluster.apply(wanted, field_manager="somebody", force=True)


def facts(found: list[Finding]) -> list[tuple[str, str]]:
    """Verdict and fact of each finding."""
    return [(finding.verdict, finding.fact) for finding in found]
