"""Containers' logs: the end of them, what came since, and what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from rehearsal.kube.api.ages import parse_time
from rehearsal.kube.api.containers import container_of, pod_of, status_of
from rehearsal.kube.api.log_times import LogTimes
from rehearsal.kube.api.responses import client_gone, stream
from rehearsal.kube.api.routing import Target
from rehearsal.kube.api.runtime import PodRuntime
from rehearsal.kube.api.status import bad_request
from rehearsal.kube.api.store import Object, Store

_POLL_SECONDS = 0.1
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class _Wanted:
    tail: int | None
    since: float
    timestamps: bool
    limit: int | None


async def answer_log(
    request: web.Request, store: Store, runtime: PodRuntime, times: LogTimes, target: Target
) -> web.StreamResponse:
    """Answer a log request; with `follow`, until the container ends or the client goes.

    Raises:
        ApiError: 404 or 400, there is no such Pod, container or log.
    """
    query = request.query
    pod = pod_of(store, target)
    container = container_of(pod, query)
    previous = query.get("previous") in {"true", "1"}
    _check_has_log(pod, container, previous=previous)
    namespace, name = target.namespace or "", pod["metadata"]["name"]
    path = runtime.log_path(namespace, name, container, previous)
    log = _Log(path, times, _wanted(query))

    def ended() -> bool:
        now = store.get(target.kind, namespace, name)
        return now is None or _has_ended(now, pod, container) or client_gone(request)

    follow = query.get("follow") in {"true", "1"} and not previous
    return await stream(request, "text/plain", log.chunks(ended if follow else None))


def _check_has_log(pod: Object, container: str, *, previous: bool) -> None:
    name = pod["metadata"]["name"]
    status = status_of(pod, container)
    if previous:
        if not (status or {}).get("lastState", {}).get("terminated"):
            raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        return
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {name} does not have a host assigned")
    waiting = (status or {}).get("state", {}).get("waiting") if status else {"reason": "ContainerCreating"}
    if waiting is not None and not (status or {}).get("lastState", {}).get("terminated"):
        reason = waiting.get("reason", "ContainerCreating")
        detail = "trying and failing to pull image" if "Pull" in reason else f"waiting to start: {reason}"
        verb = "is " if detail.startswith(("waiting", "trying")) else ""
        raise bad_request(f'container "{container}" in pod "{name}" {verb}{detail}')


def _has_ended(now: Object, then: Object, container: str) -> bool:
    """Tell whether the container instance that was asked about runs no more."""
    status, before = status_of(now, container), status_of(then, container)
    if now["metadata"]["uid"] != then["metadata"]["uid"] or status is None:
        return True
    restarted = before is not None and status.get("restartCount", 0) != before.get("restartCount", 0)
    return restarted or "running" not in status.get("state", {})


def _wanted(query: Mapping[str, str]) -> _Wanted:
    try:
        since = 0.0
        if "sinceSeconds" in query:
            since = datetime.now(UTC).timestamp() - int(query["sinceSeconds"])
        elif "sinceTime" in query:
            since = parse_time(query["sinceTime"]).timestamp()
        return _Wanted(
            tail=int(query["tailLines"]) if "tailLines" in query else None,
            since=since,
            timestamps=query.get("timestamps") in {"true", "1"},
            limit=int(query["limitBytes"]) if "limitBytes" in query else None,
        )
    except ValueError as error:
        raise bad_request(f"unable to decode query: {error}") from error


class _Log:
    """One container's log file, read from the start to wherever it grows."""

    def __init__(self, path: Path, times: LogTimes, wanted: _Wanted) -> None:
        self._path = path
        self._times = times
        self._wanted = wanted
        self._offset = 0
        self._sent = 0

    async def chunks(self, ended: Callable[[], bool] | None) -> AsyncGenerator[bytes]:
        """Give what is there, then what comes.

        Args:
            ended: whether nothing comes any more; None where what comes was not asked for.
        """
        for chunk in self._present():
            yield chunk
        while ended is not None and (self._wanted.limit is None or self._sent < self._wanted.limit):
            last = ended()
            while chunk := self._read():
                for part in self._cut([chunk]):
                    yield part
            if last:
                return
            await asyncio.sleep(_POLL_SECONDS)

    def _present(self) -> list[bytes]:
        """Give the part of what is there that was asked for."""
        if not self._path.exists():
            return []
        raw = self._path.read_bytes()
        lines = []
        for line in raw.splitlines(keepends=True):
            self._offset += len(line)
            written = self._times.written(self._path, self._offset)
            if written >= self._wanted.since:
                lines.append(self._stamped(line, written))
        if self._wanted.tail is not None:
            lines = lines[max(len(lines) - self._wanted.tail, 0) :]
        return self._cut(lines)

    def _read(self) -> bytes:
        if not self._path.exists():
            return b""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            chunk = file.read(_BLOCK)
        if self._wanted.timestamps:
            chunk = chunk[: chunk.rfind(b"\n") + 1]
        self._offset += len(chunk)
        if not self._wanted.timestamps:
            return chunk
        now = datetime.now(UTC).timestamp()
        return b"".join(self._stamped(line, now) for line in chunk.splitlines(keepends=True))

    def _stamped(self, line: bytes, written: float) -> bytes:
        if not self._wanted.timestamps:
            return line
        moment = datetime.fromtimestamp(written, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        return moment.encode() + b" " + line

    def _cut(self, chunks: list[bytes]) -> list[bytes]:
        if self._wanted.limit is None:
            return [b"".join(chunks)] if chunks else []
        joined = b"".join(chunks)[: self._wanted.limit - self._sent]
        self._sent += len(joined)
        return [joined] if joined else []
