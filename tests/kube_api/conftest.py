"""A served cluster on loopback TLS, with Pods whose logs are files and whose ports are echo servers."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.runtime import Typed
from rehearsal.kube.api.server import application
from rehearsal.kube.api.store import Store


@dataclass
class Pods:
    """The running Pods of the test: folders of logs, ports that answer in capitals."""

    folder: Path
    ports: dict[int, int] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)

    def running(self, namespace: str, pod: str) -> bool:
        return pod not in self.stopped

    def log_path(self, namespace: str, pod: str, container: str, previous: bool) -> Path:
        return self.folder / f"{namespace}_{pod}_{container}{'.previous' if previous else ''}.log"

    def address(self, namespace: str, pod: str, port: int) -> tuple[str, int] | None:
        return ("127.0.0.1", self.ports[port]) if port in self.ports else None

    async def exec(
        self, namespace: str, pod: str, container: str, command: list[str], typed: Typed | None
    ) -> tuple[int, bytes, bytes]:
        if command == ["false"]:
            return 3, b"", b"no\n"
        return 0, " ".join(command).encode() + b"\n", b""


class Cluster:
    """One API server in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pods = Pods(folder)
        self.store = Store({})
        self._open: list[asyncio.BaseTransport] = []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self._serve())
        self.kubeconfig = self._write_kubeconfig()

    async def _serve(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        app = application(self.store, self.pods, _admit, "1.34.1-gke.1829001")
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        self._listener = await asyncio.get_running_loop().create_server(
            _protocol_of(self._runner), "127.0.0.1", 0, ssl=context, ssl_shutdown_timeout=0.01
        )
        self.port = self._listener.sockets[0].getsockname()[1]
        self._shouter = await asyncio.start_server(self._shout, "127.0.0.1", 0)
        self.pods.ports[8000] = self._shouter.sockets[0].getsockname()[1]

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine in the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def call(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """Call a function of the store in the server's loop."""

        async def called() -> Any:
            return function(*arguments, **options)

        return self.run(called())

    def _write_kubeconfig(self) -> Path:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [
                {
                    "name": "test",
                    "cluster": {
                        "server": f"https://127.0.0.1:{self.port}",
                        "certificate-authority": str(self.folder / "ca.pem"),
                    },
                }
            ],
            "users": [{"name": "test", "user": {"token": "secret"}}],
        }
        path = self.folder / "kubeconfig"
        path.write_text(json.dumps(config))
        return path

    def kubectl(
        self, *arguments: str, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run the real kubectl against the cluster."""
        result = subprocess.run(
            self.kubectl_command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check and result.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {result.stderr}")
        return result

    def kubectl_command(self, *arguments: str) -> list[str]:
        found = shutil.which("kubectl")
        if found is None:
            pytest.skip("kubectl is not on this machine")
        return [found, f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.folder / 'cache'}", *arguments]

    def break_off(self) -> None:
        """Drop all connections to the API; call it in the server's loop."""
        for connection in list(_protocol_of(self._runner).connections):
            if connection.transport is not None:
                connection.transport.abort()

    def stop(self) -> None:
        self.run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    async def _close(self) -> None:
        self._shouter.close()
        self._listener.close()
        transports = [*self._open, *(c.transport for c in _protocol_of(self._runner).connections)]
        # a TLS transport that has been closed knows its socket no more
        open_ones = [transport for transport in transports if transport and not transport.is_closing()]
        sockets = [transport.get_extra_info("socket") for transport in open_ones]
        await self._runner.cleanup()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        while any(socket is not None and socket.fileno() != -1 for socket in sockets):  # noqa: ASYNC110 - asyncio tells nobody of it
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)  # connections to Pods that were closed just now let go of their sockets

    async def _shout(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer in capitals until the other side ends."""
        self._open.append(writer.transport)
        try:
            while data := await reader.read(65536):
                writer.write(data.upper())
                await writer.drain()
        finally:
            writer.close()


def _protocol_of(runner: web.AppRunner) -> web.Server:
    assert runner.server is not None
    return runner.server


def _admit(kind: Kind, obj: dict[str, Any], operation: str) -> dict[str, Any]:
    return obj


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    served = Cluster(tmp_path)
    yield served
    served.stop()


@pytest.fixture
def client(cluster: Cluster) -> Iterator[Any]:
    """The official client, as the project uses it: dynamic, with a discovery cache of its own."""
    from kubernetes import config
    from kubernetes.dynamic import DynamicClient

    api = config.new_client_from_config(config_file=str(cluster.kubeconfig))
    yield DynamicClient(api, cache_file=str(cluster.folder / "discovery.json"))
    api.close()


@pytest.fixture
def deployment() -> dict[str, Any]:
    """A Deployment such as the guide's, small."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "vllm-tpu", "namespace": "default"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "vllm-tpu"}},
            "template": {
                "metadata": {"labels": {"app": "vllm-tpu"}},
                "spec": {
                    "containers": [
                        {
                            "name": "vllm-tpu",
                            "image": "vllm/vllm-tpu:v0.13.2",
                            "command": ["python3", "-m", "vllm.entrypoints.openai.api_server"],
                            "env": [{"name": "HF_HUB_OFFLINE", "value": "1"}],
                            "ports": [{"containerPort": 8000}],
                            "resources": {
                                "limits": {"google.com/tpu": "4"},
                                "requests": {"google.com/tpu": "4"},
                            },
                            "volumeMounts": [{"name": "model", "mountPath": "/model"}],
                            "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}},
                        }
                    ],
                    "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": "vllm-pvc"}}],
                },
            },
        },
    }
