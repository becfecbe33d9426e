"""Probes: really asked, at the port where the container really listens; the answer in the kubelet's words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rehearsal.kube.api.store import Object

LOOPBACK = "127.0.0.1"
_LEAST_TIMEOUT_SECONDS = 5.0
_STATUS_LINE_BYTES = 512
_OK = range(200, 400)


@dataclass(frozen=True)
class Target:
    """The container that is probed.

    Args:
        pod_ip: for the words of failures.
        named_ports: container ports by name.
        local_port: finds where a container port listens on loopback; None when nowhere.
        execute: runs a command in the container and gives its exit code and output.
    """

    pod_ip: str
    named_ports: dict[str, int]
    local_port: Callable[[int], int | None]
    execute: Callable[[list[str]], Awaitable[tuple[int, str]]]

    def port(self, port: int | str) -> int:
        """Resolve a port that may be a name; an unknown name is port 0, where nothing answers."""
        return port if isinstance(port, int) else self.named_ports.get(port, 0)


async def failure(probe: Object, target: Target) -> str:
    """Ask once; say what is wrong, or nothing when the answer is good."""
    # Not less than some seconds: the container shares this machine's cores with the rest of the cluster.
    seconds = max(float(probe.get("timeoutSeconds", 1)), _LEAST_TIMEOUT_SECONDS)
    try:
        return await asyncio.wait_for(_ask(probe, target), seconds)
    except TimeoutError:
        return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


async def _ask(probe: Object, target: Target) -> str:
    if "httpGet" in probe:
        return await _http_get(probe["httpGet"], target)
    if "tcpSocket" in probe:
        return await _tcp_socket(probe["tcpSocket"], target)
    if "exec" in probe:
        code, output = await target.execute(probe["exec"]["command"])
        return output.strip() or f"command failed with exit code {code}" if code else ""
    return "the rehearsal has no grpc probes"


async def _tcp_socket(probe: Object, target: Target) -> str:
    port = target.port(probe["port"])
    try:
        _, writer = await _connect(port, target)
    except OSError:
        return f"dial tcp {target.pod_ip}:{port}: connect: connection refused"
    writer.close()
    return ""


async def _http_get(probe: Object, target: Target) -> str:
    port, path = target.port(probe["port"]), probe.get("path") or "/"
    url = f"{probe.get('scheme', 'HTTP').lower()}://{target.pod_ip}:{port}{path}"
    try:
        status = await _status(probe, port, path, target)
    except OSError:
        return f'Get "{url}": dial tcp {target.pod_ip}:{port}: connect: connection refused'
    if status is None:
        return f'Get "{url}": EOF'
    return "" if status in _OK else f"HTTP probe failed with statuscode: {status}"


async def _status(probe: Object, port: int, path: str, target: Target) -> int | None:
    """Send the request and read the status of the answer; None when there is none."""
    reader, writer = await _connect(port, target)
    headers = [f"{entry['name']}: {entry['value']}" for entry in probe.get("httpHeaders") or []]
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {target.pod_ip}:{port}",
        "User-Agent: kube-probe/1.34",
        "Connection: close",
        *headers,
    ]
    writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
    words = (await reader.readline())[:_STATUS_LINE_BYTES].split()
    writer.close()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


async def _connect(port: int, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    local = target.local_port(port)
    if local is None:
        raise ConnectionRefusedError
    return await asyncio.open_connection(LOOPBACK, local)
