"""Port-forwarding: the Python client's WebSocket channels, and kubectl's SPDY inside a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from rehearsal.kube.api.containers import pod_of
from rehearsal.kube.api.routing import Target
from rehearsal.kube.api.runtime import PodRuntime
from rehearsal.kube.api.spdy import PROTOCOL as SPDY_PROTOCOL
from rehearsal.kube.api.spdy import SpdyTunnel
from rehearsal.kube.api.status import bad_request
from rehearsal.kube.api.store import Store

CHANNEL_PROTOCOL = "v4.channel.k8s.io"
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class PodPorts:
    """The ports of one running Pod."""

    runtime: PodRuntime
    namespace: str
    pod: str

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to one of the Pod's ports.

        Raises:
            ConnectionError: nothing listens there; the message is the container runtime's.
        """
        address = self.runtime.address(self.namespace, self.pod, port)
        refused = (
            f"error forwarding port {port} to pod {self.pod}, uid : failed to connect to localhost:{port}"
            f" inside namespace, IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused"
        )
        if address is None or not self.runtime.running(self.namespace, self.pod):
            raise ConnectionRefusedError(refused)
        try:
            return await asyncio.open_connection(*address)
        except OSError as error:
            raise ConnectionRefusedError(refused) from error


async def forward_ports(
    request: web.Request, store: Store, runtime: PodRuntime, target: Target
) -> web.WebSocketResponse:
    """Carry connections to a Pod's ports until the client or the Pod ends them.

    Raises:
        ApiError: 404 or 400, there is no such Pod, it has no node, or the request is no WebSocket.
    """
    pod = pod_of(store, target)
    name = pod["metadata"]["name"]
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {name} does not have a host assigned")
    socket = web.WebSocketResponse(
        protocols=(SPDY_PROTOCOL, CHANNEL_PROTOCOL), max_msg_size=0, compress=False, autoping=True
    )
    if not socket.can_prepare(request).ok:
        raise bad_request("Upgrade request required")
    ports = PodPorts(runtime, target.namespace or "", name)
    await socket.prepare(request)
    if socket.ws_protocol == SPDY_PROTOCOL:
        await SpdyTunnel(socket, ports).serve()
    else:
        await _serve_channels(socket, ports, _port_numbers(request))
    return socket


def _port_numbers(request: web.Request) -> list[int]:
    listed = ",".join(request.query.getall("ports", []))
    try:
        return [int(text) for text in listed.split(",")]
    except ValueError as error:
        raise bad_request(f'unable to parse "{listed}" as a port') from error


async def _serve_channels(socket: web.WebSocketResponse, ports: PodPorts, numbers: list[int]) -> None:
    """Serve data channel 2i and error channel 2i+1 for the i-th port."""
    writers: dict[int, asyncio.StreamWriter] = {}
    pumps = []
    for index, number in enumerate(numbers):
        for channel in (2 * index, 2 * index + 1):
            await socket.send_bytes(bytes([channel]) + number.to_bytes(2, "little"))
    for index, number in enumerate(numbers):
        try:
            reader, writer = await ports.connect(number)
        except ConnectionError as error:
            await socket.send_bytes(bytes([2 * index + 1]) + str(error).encode())
            continue
        writers[2 * index] = writer
        pumps.append(asyncio.create_task(_from_pod(socket, reader, 2 * index)))
    closing = asyncio.create_task(_close_after(socket, pumps))
    try:
        await _to_pod(socket, writers)
    finally:
        for task in (*pumps, closing):
            task.cancel()
        for writer in writers.values():
            writer.close()


async def _from_pod(socket: web.WebSocketResponse, reader: asyncio.StreamReader, channel: int) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_BLOCK):
            await socket.send_bytes(bytes([channel]) + data)


async def _to_pod(socket: web.WebSocketResponse, writers: dict[int, asyncio.StreamWriter]) -> None:
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        writer = writers.get(message.data[0])
        if writer is not None and not writer.is_closing():
            writer.write(message.data[1:])
            with contextlib.suppress(ConnectionError):
                await writer.drain()


async def _close_after(socket: web.WebSocketResponse, pumps: list[asyncio.Task[None]]) -> None:
    """End the session when the Pod has ended every connection: these channels cannot half-close."""
    if pumps:
        await asyncio.wait(pumps)
    await socket.close()
