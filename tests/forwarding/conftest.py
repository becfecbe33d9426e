"""A forward to the Pods of a served API, whose ports answer in capitals or never stop to talk."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from rehearsal.kube.api.kinds import kind_of
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import by_kubeconfig
from runbook.clients.kube.forward import Forward
from runbook.clients.kube.service import Target, find_targets
from tests.kube_api.conftest import Cluster

SERVICE = "vllm-service"
SHOUTS, FLOODS = 8000, 9000


@dataclass
class Street:
    """A cluster with a Service, and forwards to it.

    Args:
        cluster: its API.
        folder: for the client's own files.
        troubles: what the forwards told.
    """

    cluster: Cluster
    folder: Path
    troubles: list[str] = field(default_factory=list)

    def find(self) -> list[Target]:
        """List the ready Pods of the Service, as the runbook does."""
        return find_targets(self.client, "default", SERVICE, 80)

    @cached_property
    def client(self) -> KubeClient:
        """The cluster as its kubeconfig describes it."""
        return KubeClient(by_kubeconfig([self.cluster.kubeconfig], None), self.folder)

    @contextmanager
    def forward(self, find: Callable[[], Sequence[Target]] | None = None) -> Iterator[Forward]:
        """Open a forward; it ends with the block."""
        carrier = Forward(self.client, find or self.find, 0, self.troubles.append)
        opened: Future[Callable[[], object]] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(carrier.serve(opened)), name="port-forward")
        thread.start()
        stop = opened.result(timeout=10)
        try:
            yield carrier
        finally:
            stop()
            thread.join(10)
            assert not thread.is_alive(), "the forward did not end"

    def set_ready(self, pod: str, *, ready: bool) -> None:
        """Have a Pod take requests, or no more."""

        def change() -> None:
            kind = kind_of("Pod")
            found = self.cluster.store.get(kind, "default", pod)
            assert found is not None
            found["status"]["conditions"] = [{"type": "Ready", "status": str(ready)}]
            self.cluster.store.update(kind, found)

        self.cluster.call(change)

    def select_nothing(self) -> None:
        """Take the Service's selector away, as one has it whose endpoints somebody else keeps."""

        def change() -> None:
            kind = kind_of("Service")
            found = self.cluster.store.get(kind, "default", SERVICE)
            assert found is not None
            del found["spec"]["selector"]
            self.cluster.store.update(kind, found)

        self.cluster.call(change)

    def add_pod(self, name: str, port: int) -> None:
        """Add a ready Pod of the Service that calls this port of its own `http`."""
        pod = {
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "vllm-tpu"}},
            "spec": {
                "nodeName": "node-1",
                "containers": [
                    {"name": "main", "image": "x:1", "ports": [{"name": "http", "containerPort": port}]}
                ],
            },
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        }
        self.cluster.call(self.cluster.store.create, kind_of("Pod"), pod)


async def _flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(ConnectionError):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
    finally:
        writer.transport.abort()


def ask(port: int, text: bytes) -> bytes:
    """Say something to a local port, and hear the answer of the same length, or less where it is cut off."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text)
        answer = b""
        with suppress(ConnectionResetError):
            while len(answer) < len(text) and (data := connection.recv(min(65536, len(text) - len(answer)))):
                answer += data
        return answer


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    cluster = Cluster(tmp_path)
    flood = cluster.run(asyncio.start_server(_flood, "127.0.0.1", 0))
    cluster.pods.ports[FLOODS] = flood.sockets[0].getsockname()[1]
    service = {
        "metadata": {"name": SERVICE, "namespace": "default"},
        "spec": {"selector": {"app": "vllm-tpu"}, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    cluster.call(cluster.store.create, kind_of("Service"), service)
    made = Street(cluster, tmp_path)
    made.add_pod("server-1", SHOUTS)
    yield made
    cluster.call(flood.close)
    cluster.stop()
