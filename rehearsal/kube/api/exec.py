"""Commands run beside a container, over the WebSocket channels of kubectl and the Python client.

Fact: only v5 tells the end of the standard input, by a frame of channel 255 that names the channel which ends
(https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from aiohttp import WSMsgType, web

from rehearsal.kube.api.containers import container_of, pod_of
from rehearsal.kube.api.routing import Target
from rehearsal.kube.api.runtime import ExecFailed, PodRuntime
from rehearsal.kube.api.status import bad_request, internal_error
from rehearsal.kube.api.store import Object, Store

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _CLOSE = 0, 1, 2, 3, 255


async def execute(
    request: web.Request, store: Store, runtime: PodRuntime, target: Target
) -> web.WebSocketResponse:
    """Run a command with what is typed to its end, then send its output and its exit code.

    Fact: with containerd a command that is not there is an internal error, with Docker the exit code 126
    (https://github.com/containerd/containerd/issues/3597).

    Raises:
        ApiError: the Pod does not run, or the request is no WebSocket.
    """
    pod = pod_of(store, target)
    container = container_of(pod, request.query)
    namespace, name = target.namespace or "", pod["metadata"]["name"]
    command = request.query.getall("command", [])
    socket = web.WebSocketResponse(protocols=_PROTOCOLS)
    if not socket.can_prepare(request).ok:
        raise bad_request("Upgrade request required")
    if not command:
        raise bad_request("you must specify at least 1 command for the container")
    if not runtime.running(namespace, name):
        raise bad_request(f'container not found ("{container}")')
    await socket.prepare(request)
    typed = _typed(socket) if request.query.get("stdin", "").lower() == "true" else None
    try:
        code, out, err = await runtime.exec(namespace, name, container, command, typed)
        outcome = _outcome(code)
    except ExecFailed as error:
        out, err, outcome = b"", b"", internal_error(str(error)).status()
    for channel, data in ((_STDOUT, out), (_STDERR, err), (_ERROR, json.dumps(outcome).encode())):
        if data:
            await socket.send_bytes(bytes([channel]) + data)
    await socket.close()
    return socket


async def _typed(socket: web.WebSocketResponse) -> AsyncIterator[bytes]:
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            continue
        if message.data[:2] == bytes([_CLOSE, _STDIN]):
            return
        if message.data[:1] == bytes([_STDIN]):
            yield message.data[1:]


def _outcome(code: int) -> Object:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
