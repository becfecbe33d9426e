"""An operator whose model goes through Pods of the cluster, and who looks into the cluster meanwhile."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from tests.acceptance.conftest import Operator, new_operator

T = TypeVar("T")
BUCKET = "rehearsal-models"
TOKEN = "hf_a-token-that-nobody-may-see"
CLUSTER = "/v1/projects/rehearsal-project/locations/us-central1/clusters/rehearsal"
MANIFEST = ".runbook-manifest.json"


def settings(folder: str, *more: str, repository: str = "rehearsal/made-8x2MiB") -> list[str]:
    """What is said of the model in each line: a folder of its own, and Pods that move it there."""
    said = (
        "transfer.where=cluster",
        "bucket.role=roles/storage.objectUser",
        f"checkpoint.repository={repository}",
        "checkpoint.revision=main",
        f"checkpoint.folder={folder}",
        *more,
    )
    return [word for setting in said for word in ("--set", setting)]


def eventually(look: Callable[[], T], seconds: float = 30) -> T:
    """Look until something is found."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Site:
    """The operator, and what somebody else sees of cluster and bucket.

    Args:
        operator: at the shell.
    """

    operator: Operator

    def kube(self, path: str) -> Any:
        """Read from the cluster's API."""
        return self._kube(path).json()

    def _kube(self, path: str) -> requests.Response:
        found = self.operator.google("GET", CLUSTER)
        certificate = self.operator.home / "ca.pem"
        certificate.write_bytes(base64.b64decode(found["masterAuth"]["clusterCaCertificate"]))
        endpoints = json.loads((self.operator.home / ".rehearsal" / "endpoints.json").read_text())
        token = Path(endpoints["token_file"]).read_text().strip()
        return requests.get(
            f"https://{found['endpoint']}/{path}",
            headers={"Authorization": f"Bearer {token}"},
            verify=str(certificate),
            timeout=30,
        )

    def jobs(self) -> list[dict[str, Any]]:
        return self.kube("apis/batch/v1/namespaces/default/jobs")["items"]

    def pods(self) -> list[dict[str, Any]]:
        return self.kube("api/v1/namespaces/default/pods")["items"]

    def of_the_core(self, kind: str) -> list[dict[str, Any]]:
        """ConfigMaps or Secrets, without the cluster's own."""
        found = self.kube(f"api/v1/namespaces/default/{kind}")["items"]
        return [item for item in found if item["metadata"]["name"] != "kube-root-ca.crt"]

    def left(self) -> list[str]:
        """Names of all that a transfer may leave behind."""
        found = [*self.jobs(), *self.pods(), *self.of_the_core("configmaps"), *self.of_the_core("secrets")]
        return [item["metadata"]["name"] for item in found]

    def log(self, pod: str, *, follow: bool = False) -> str:
        """A Pod's log so far; or to the end of its container."""
        answer = self._kube(
            f"api/v1/namespaces/default/pods/{pod}/log?container=transfer&follow={str(follow).lower()}"
        )
        return answer.text if answer.ok else ""

    def objects(self, folder: str) -> dict[str, dict[str, Any]]:
        """The bucket's objects by their path in the folder."""
        listing = self.operator.google("GET", f"/storage/v1/b/{BUCKET}/o?prefix={folder}/")
        found = {item["name"].removeprefix(f"{folder}/"): item for item in listing.get("items", [])}
        return {path: item for path, item in found.items() if path}

    def sessions(self, folder: str) -> list[str]:
        """Each upload that was begun into the folder."""
        begun = (line["path"] for line in self.operator.requests() if line["method"] == "POST")
        return [path for path in begun if "uploadType=resumable" in path and f"{folder}%2F" in path]

    def processes(self) -> dict[int, str]:
        """The command lines of the workers' processes."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if "transfer.pyz" in line and str(self.operator.home) in line:
                found[int(path.name)] = line
        return found

    def fault(self, *words: str, api: str = "cdn") -> None:
        """Let requests fail, for the hub's large files where nothing else is said."""
        assert self.operator.inv("rehearsal.fault", "--api", api, *words).code == 0


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cloud with cluster, bucket and grant, and no model."""
    environ = {"HF_TOKEN": TOKEN}
    for operator in new_operator(tmp_path_factory.mktemp("home"), environ):
        wanted = ["2.2", "2.3.1", "3.1", "3.3"]
        ended = operator.inv("step", ",".join(wanted), *settings("any"))
        assert ended.code == 0, ended.out + ended.error
        yield Site(operator)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator with a cloud of their own, without a cluster."""
    yield from new_operator(tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def no_faults_stay(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take back what a test made fail."""
    yield
    if "site" in request.fixturenames:
        request.getfixturevalue("site").operator.inv("rehearsal.fault", "--clear")
