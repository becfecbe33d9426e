"""One cluster behind its real TLS port, on an event loop of its own, and a Cloud Storage of a few lines."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from ruamel.yaml import YAML

from rehearsal.documents import Database
from rehearsal.kube.clusters import KubernetesClusters
from rehearsal.world import Access, World

Json = dict[str, Any]
TOKEN = "the-token"
KEY = "projects/my-project/locations/us-central1/clusters/tpu"
PATHS = {
    "Deployment": ("apis/apps/v1", "deployments"),
    "ReplicaSet": ("apis/apps/v1", "replicasets"),
    "DaemonSet": ("apis/apps/v1", "daemonsets"),
    "Job": ("apis/batch/v1", "jobs"),
    "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices"),
    "Lease": ("apis/coordination.k8s.io/v1", "leases"),
    "CSIDriver": ("apis/storage.k8s.io/v1", "csidrivers"),
    "Endpoints": ("api/v1", "endpoints"),
}
CLUSTER_WIDE = ("Node", "PersistentVolume", "Namespace", "CSIDriver")


@dataclass
class TinyStorage:
    """Buckets, objects and who may list them."""

    folder: Path
    objects: dict[str, dict[str, bytes]] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)

    def bucket_exists(self, bucket: str) -> bool:
        return bucket in self.objects

    def allowed(self, bucket: str, member: str, permission: str) -> bool:
        return permission == "storage.objects.list" and (bucket, member) in self.members

    def files(self, bucket: str, prefix: str) -> Mapping[str, Path]:
        found = {}
        for number, (name, content) in enumerate(self.objects[bucket].items()):
            if name.startswith(prefix):
                found[name] = self.folder / f"{bucket}-{number}"
                found[name].write_bytes(content)
        return found


def node(name: str, *, tpu: int = 0, metadata: str = "GKE_METADATA") -> Json:
    """Give the facts of a Node, with TPU chips or without."""
    labels = {"cloud.google.com/gke-nodepool": "tpu-pool" if tpu else "default-pool"}
    capacity: Json = {"cpu": "8", "memory": "32Gi"}
    if tpu:
        labels |= {
            "cloud.google.com/gke-tpu-accelerator": "tpu7x",
            "cloud.google.com/gke-tpu-topology": "2x2x1",
        }
        capacity = {"cpu": "224", "memory": "960Gi", "google.com/tpu": str(tpu)}
    taint = {"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"}
    return {
        "name": name,
        "node_pool": labels["cloud.google.com/gke-nodepool"],
        "zone": "us-central1-c",
        "machine_type": "tpu7x-standard-4t" if tpu else "e2-standard-8",
        "labels": labels,
        "taints": [taint] if tpu else [],
        "capacity": capacity,
        "workload_metadata": metadata,
    }


def facts(*nodes: Json, **changes: Any) -> Json:
    """Give what GKE says of a cluster."""
    return {
        "name": "tpu",
        "project": "my-project",
        "location": "us-central1",
        "version": "1.34.1-gke.1829001",
        "workload_pool": "my-project.svc.id.goog",
        "gcsfuse": True,
        "nodes": list(nodes) or [node("gke-default"), node("gke-tpu", tpu=4)],
        **changes,
    }


class StandIn:
    """A stand-in with one cluster, in a thread of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(exist_ok=True)
        self.storage = TinyStorage(home)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.clients: list[Kube] = []
        self.access: Access | None = None
        self.run(self._open())

    async def _open(self) -> None:
        self.database = Database(self.home / "state.db")
        self.world = World(self.home, TOKEN, self.database, storage=self.storage)
        self.clusters = KubernetesClusters(self.world)

    async def _close(self) -> None:
        await self.clusters.stop()
        await asyncio.sleep(0.02)  # the loop learns that the TLS connections are closed
        await asyncio.get_running_loop().shutdown_default_executor()
        self.database.close()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def create(self, given: Json) -> Kube:
        self.access = self.run(self.clusters.create(KEY, given))
        self.clients.append(Kube(self))
        return self.clients[-1]

    def stop(self) -> None:
        if self.thread.is_alive():
            for client in self.clients:
                client.session.close()
            self.run(self._close())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
            self.loop.close()


class Kube:
    """A client of the cluster's API."""

    def __init__(self, stand_in: StandIn) -> None:
        assert stand_in.access is not None
        self.stand_in = stand_in
        self.server = f"https://{stand_in.access.endpoint}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {TOKEN}"
        self.session.verify = str(stand_in.home / "ca.pem")

    def url(self, kind: str, name: str = "", namespace: str = "default") -> str:
        group, plural = PATHS.get(kind, ("api/v1", f"{kind.lower()}s"))
        middle = "" if kind in CLUSTER_WIDE else f"namespaces/{namespace}/"
        return f"{self.server}/{group}/{middle}{plural}" + (f"/{name}" if name else "")

    def apply(self, manifests: str | Json) -> list[Json]:
        if isinstance(manifests, str):
            return [self._apply(document) for document in YAML(typ="safe").load_all(manifests)]
        return [self._apply(manifests)]

    def _apply(self, document: Json) -> Json:
        metadata = document["metadata"]
        answer = self.session.patch(
            self.url(document["kind"], metadata["name"], metadata.get("namespace", "default")),
            params={"fieldManager": "test", "force": "true"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            data=json.dumps(document),
        )
        return self._checked(answer)

    def _checked(self, answer: requests.Response) -> Json:
        assert answer.ok, answer.text
        found: Json = answer.json()
        return found

    def get(self, kind: str, name: str, namespace: str = "default") -> Json | None:
        answer = self.session.get(self.url(kind, name, namespace))
        return None if answer.status_code == 404 else self._checked(answer)

    def items(self, kind: str, namespace: str = "default", **params: str) -> list[Json]:
        items: list[Json] = self._checked(self.session.get(self.url(kind, "", namespace), params=params))[
            "items"
        ]
        return items

    def merge(self, kind: str, name: str, change: Json, namespace: str = "default") -> Json:
        answer = self.session.patch(
            self.url(kind, name, namespace),
            headers={"Content-Type": "application/merge-patch+json"},
            data=json.dumps(change),
        )
        return self._checked(answer)

    def delete(self, kind: str, name: str, namespace: str = "default", **options: Any) -> None:
        self._checked(self.session.delete(self.url(kind, name, namespace), json=options or None))

    def log(self, pod: str, **params: str) -> str:
        answer = self.session.get(self.url("Pod", pod) + "/log", params=params)
        assert answer.ok, answer.text
        return answer.text

    def events(self, name: str, reason: str = "") -> list[str]:
        found = [entry for entry in self.items("Event") if entry["involvedObject"]["name"] == name]
        return [entry["message"] for entry in found if reason in ("", entry["reason"])]

    def pods(self, **labels: str) -> list[Json]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return self.items("Pod", labelSelector=selector)

    def wait(self, *names: str, until: Callable[[Json | None], object], seconds: float = 15) -> Json:
        """Wait until an object (kind, name) is as it should be."""
        return wait(lambda: self.get(*names), until, seconds)


def wait(read: Callable[[], Any], until: Callable[[Any], object] = bool, seconds: float = 15) -> Any:
    """Read until what is read is as it should be."""
    end = time.monotonic() + seconds
    while True:
        found = read()
        if until(found):
            return found
        assert time.monotonic() < end, f"still {json.dumps(found, indent=1, default=str)}"
        time.sleep(0.03)


def phase(wanted: str) -> Callable[[Json | None], bool]:
    """Judge an object by status.phase."""
    return lambda found: found is not None and found.get("status", {}).get("phase") == wanted


def condition(kind: str, status: str = "True", reason: str = "") -> Callable[[Json | None], bool]:
    """Judge an object by one of its conditions."""

    def judge(found: Json | None) -> bool:
        entries = (found or {}).get("status", {}).get("conditions", [])
        return any(
            entry["type"] == kind and entry["status"] == status and reason in ("", entry.get("reason"))
            for entry in entries
        )

    return judge


def gone(found: object) -> bool:
    """Judge an object by its absence."""
    return found is None
