"""Jobs of a stand-in's cluster, over the Kubernetes API, and the bucket's policy."""

from __future__ import annotations

import base64
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from tests.rehearsal.stand_in import CLUSTER, StandIn, eventually

Json = dict[str, Any]
BUCKET = "models"
_NUMBERS = count()


class Cluster:
    """A client of the cluster.

    Args:
        cloud: whose cluster it is.
        path: of the cluster in the GKE API.
    """

    def __init__(self, cloud: StandIn, path: str = CLUSTER) -> None:
        self.cloud = cloud
        found = cloud.get(path)
        certificate = Path(cloud.home) / f"{found['name']}-ca.pem"
        certificate.write_bytes(base64.b64decode(found["masterAuth"]["clusterCaCertificate"]))
        self.server = f"https://{found['endpoint']}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(certificate)
        self.session.headers["Authorization"] = f"Bearer {cloud.token}"
        self.initial_policy = self.policy()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ask("DELETE", "apis/batch/v1/namespaces/default/jobs")
        self.put_policy(self.initial_policy["bindings"])
        self.session.close()

    def ask(self, method: str, path: str, body: Any = None) -> Json:
        """Send a request that must succeed."""
        answer = self.session.request(method, f"{self.server}/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        found: Json = answer.json()
        return found

    def start(self, program: str, retries: int = 0, **pod: Any) -> str:
        """Start a Job of one Pod that runs a Python program; give the Job's name."""
        name = f"work-{next(_NUMBERS)}"
        container = {"name": "main", "image": "python:3.13", "command": ["python3", "-c", program]}
        spec = {"restartPolicy": "Never", "containers": [container], **pod}
        job = {"metadata": {"name": name}, "spec": {"backoffLimit": retries, "template": {"spec": spec}}}
        self.ask("POST", "apis/batch/v1/namespaces/default/jobs", job)
        return name

    def run(self, program: str, **pod: Any) -> str:
        """Run such a Job to its end; give what it printed, and how it ended."""
        name = self.start(program, **pod)
        eventually(lambda: self.ended(name) != "")
        return self.log(name) + self.ended(name)

    def log(self, job: str) -> str:
        """Read what the Job's newest Pod has printed; nothing where it has not started."""
        selector = f"labelSelector=batch.kubernetes.io/job-name={job}"
        pods = self.ask("GET", f"api/v1/namespaces/default/pods?{selector}")["items"]
        if not pods:
            return ""
        path = f"{self.server}/api/v1/namespaces/default/pods/{pods[-1]['metadata']['name']}/log"
        answer = self.session.get(path, timeout=30)
        return answer.text if answer.ok else ""

    def ended(self, job: str) -> str:
        """Say how the Job ended; empty while it runs."""
        status = self.ask("GET", f"apis/batch/v1/namespaces/default/jobs/{job}").get("status") or {}
        return next(
            (
                entry["type"]
                for entry in status.get("conditions", [])
                if entry["type"] in ("Complete", "Failed")
            ),
            "",
        )

    def policy(self) -> Json:
        """Read the bucket's policy."""
        found: Json = self.cloud.get(f"/storage/v1/b/{BUCKET}/iam?optionsRequestedPolicyVersion=3")
        return found

    def put_policy(self, bindings: list[Json]) -> None:
        """Replace the bucket's bindings."""
        answer = self.cloud.ask("PUT", f"/storage/v1/b/{BUCKET}/iam", {"version": 3, "bindings": bindings})
        assert answer.ok, answer.text

    def grant(self, role: str, member: str) -> None:
        """Let somebody into the bucket."""
        self.put_policy([*self.policy()["bindings"], {"role": f"roles/storage.{role}", "members": [member]}])
