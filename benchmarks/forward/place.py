"""What is forwarded to: the stand-in's Kubernetes API, and a source of bytes behind its Pod.

    python -m benchmarks.forward.place FOLDER

writes FOLDER/kubeconfig, prints a line when it is ready, and serves until it is ended. A client of the source
writes a number on a line, and gets so many bytes.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

from rehearsal.kube.api.kinds import Kind, kind_of
from rehearsal.kube.api.runtime import Typed
from rehearsal.kube.api.server import application
from rehearsal.kube.api.store import Store

POD, SERVICE, PORT = "server-1", "vllm-service", 8000
VERSION = "1.34.1-gke.1829001"
_BLOCK = b"x" * (256 * 1024)


@dataclass(frozen=True)
class SourcePods:
    """Pods whose every port is the source."""

    port: int
    folder: Path

    def running(self, namespace: str, pod: str) -> bool:
        """Every Pod runs."""
        return bool(namespace and pod)

    def address(self, namespace: str, pod: str, port: int) -> tuple[str, int] | None:
        """Lead to the source."""
        return ("127.0.0.1", self.port) if namespace and pod and port else None

    def log_path(self, namespace: str, pod: str, container: str, previous: bool) -> Path:
        """Name a file that is not there."""
        return self.folder / f"{namespace}_{pod}_{container}_{previous}.log"

    async def exec(
        self, namespace: str, pod: str, container: str, command: list[str], typed: Typed | None
    ) -> tuple[int, bytes, bytes]:
        """Run nothing."""
        return 1, b"", f"{namespace}/{pod}/{container}: {command} {typed}".encode()


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    left = int(await reader.readline())
    with suppress(ConnectionError):
        while left > 0:
            writer.write(_BLOCK[:left])
            left -= len(_BLOCK)
            await writer.drain()
        await reader.read()  # until the client ends
    writer.close()


async def _source() -> None:
    server = await asyncio.start_server(_send, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _api(folder: Path, source: int) -> None:
    store = Store({})
    for kind, made in _objects().items():
        store.create(kind_of(kind), made)
    app = application(store, SourcePods(source, folder), _admit, VERSION)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context, backlog=1024)
    await site.start()
    address = runner.addresses[0]
    (folder / "kubeconfig").write_text(json.dumps(_kubeconfig(folder, address[1])))
    print("ready", flush=True)
    await asyncio.Event().wait()


def _admit(kind: Kind, obj: dict[str, Any], operation: str) -> dict[str, Any]:  # noqa: ARG001 - the API's own
    return obj


def _objects() -> dict[str, dict[str, Any]]:
    named = {"namespace": "default"}
    container = {"name": "main", "image": "x:1", "ports": [{"containerPort": PORT}]}
    return {
        "Service": {
            "metadata": {**named, "name": SERVICE},
            "spec": {"selector": {"app": "x"}, "ports": [{"port": PORT, "targetPort": PORT}]},
        },
        "Pod": {
            "metadata": {**named, "name": POD, "labels": {"app": "x"}},
            "spec": {"nodeName": "node-1", "containers": [container]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        },
    }


def _kubeconfig(folder: Path, port: int) -> dict[str, Any]:
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(folder / "ca.pem")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "test", "user": {"token": "secret"}}],
    }


def main(folder: Path) -> None:
    """Serve; the source is a process of its own, as a model server is."""
    command = [sys.executable, "-m", "benchmarks.forward.place"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as source:
        try:
            assert source.stdout is not None
            asyncio.run(_api(folder, int(source.stdout.readline())))
        except KeyboardInterrupt:
            return
        finally:
            source.kill()


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]))
    else:
        asyncio.run(_source())
