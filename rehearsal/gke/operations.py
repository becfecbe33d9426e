"""Operations: long work that starts with a request, takes its time, survives restarts and ends."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from rehearsal.front.errors import GoogleError
from rehearsal.gke.names import API, ClusterName
from rehearsal.gke.records import shown
from rehearsal.projects import project_number
from rehearsal.world import World

SECONDS = {
    "CREATE_CLUSTER": 360,
    "UPDATE_CLUSTER": 90,
    "CREATE_NODE_POOL": 180,
    "UPGRADE_NODES": 120,
    "SET_NODE_POOL_SIZE": 120,
    "DELETE_NODE_POOL": 180,
    "DELETE_CLUSTER": 180,
}
"""Durations at time_scale 1: a measured cluster with a TPU pool took 8m52s, its teardown 6m24s."""
PENDING_SECONDS = 2
LONGEST_NAP = 0.5
"""Seconds after which a change of time_scale is noticed."""
RPC_CODES = {"RESOURCE_EXHAUSTED": 8, "INTERNAL": 13, "CANCELLED": 1}


@dataclass
class Operation:
    """One operation.

    Args:
        name: operation-...
        cluster: the resource name of its cluster.
        kind: the API's operationType.
        seconds: how long it takes at time_scale 1.
        node_pool: the pool that it is about; empty = the cluster.
        change: what it does when it ends, as the request asked.
        failure: the message with which it will end; empty = it succeeds.
        fixed: whether it takes that long at every time_scale.
        started: seconds since the epoch.
        ended: the same; 0 = it is not over.
    """

    name: str
    cluster: str
    kind: str
    seconds: float
    node_pool: str = ""
    change: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    fixed: bool = False
    started: float = field(default_factory=time.time)
    ended: float = 0.0

    @property
    def key(self) -> str:
        """Return its resource name."""
        return f"{self.cluster.rpartition('/clusters/')[0]}/operations/{self.name}"

    def remaining(self, time_scale: float) -> float:
        """Return the seconds until it is due."""
        return self.started + self.seconds * (1 if self.fixed else time_scale) - time.time()

    def shown(self, time_scale: float) -> dict[str, Any]:
        """Return the operation as the API answers it."""
        name = ClusterName.parse(self.cluster)
        base = f"{API}/projects/{project_number(name.project)}/locations/{name.location}"
        target = f"{base}/clusters/{name.cluster}" + (
            f"/nodePools/{self.node_pool}" if self.node_pool else ""
        )
        document = {
            "name": self.name,
            "zone": name.location,
            "location": name.location,
            "operationType": self.kind,
            "status": self._status(time_scale),
            "selfLink": f"{base}/operations/{self.name}",
            "targetLink": target,
            "startTime": _timestamp(self.started),
            "endTime": _timestamp(self.ended) if self.ended else "",
        }
        return dict(shown(document)) | (self._error() if self.ended and self.failure else {})

    def _status(self, time_scale: float) -> str:
        if self.ended:
            return "DONE"
        pending = time.time() - self.started < PENDING_SECONDS * time_scale
        return "PENDING" if pending else "RUNNING"

    def _error(self) -> dict[str, Any]:
        condition = condition_of(self.failure)
        error = {"code": RPC_CODES[condition["canonicalCode"]], "message": self.failure}
        conditions = "nodepoolConditions" if self.node_pool else "clusterConditions"
        return {"error": error, "statusMessage": self.failure, conditions: [condition]}


def condition_of(failure: str) -> dict[str, Any]:
    """Build the StatusCondition that belongs to an operation's error message."""
    if failure == CANCELLED:
        return {"canonicalCode": "CANCELLED", "message": failure}
    for code in ("GCE_STOCKOUT", "GCE_QUOTA_EXCEEDED"):
        if code in failure:
            return {"code": code, "canonicalCode": "RESOURCE_EXHAUSTED", "message": failure}
    return {"canonicalCode": "INTERNAL", "message": failure}


CANCELLED = "The operation was cancelled."


class Operations:
    """All operations of the stand-in; at most one runs for each cluster.

    Args:
        world: the stand-in.
        finish: makes an operation's effect when its time has come.
    """

    def __init__(self, world: World, finish: Callable[[Operation], Awaitable[None]]) -> None:
        self._world = world
        self._documents = world.database.collection("gke.operations")
        self._finish = finish
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        everything = (Operation(**document) for document in self._documents.values())
        self._unfinished = {operation.key: operation for operation in everything if not operation.ended}

    def start(
        self,
        kind: str,
        cluster: ClusterName,
        node_pool: str = "",
        change: Mapping[str, Any] | None = None,
        failure: str = "",
    ) -> Operation:
        """Start an operation that takes as long as on GKE."""
        return self._add(
            Operation(_new_name(), str(cluster), kind, SECONDS[kind], node_pool, dict(change or {}), failure)
        )

    def occupy(self, kind: str, cluster: ClusterName, seconds: float) -> Operation:
        """Start an operation of GKE's own, which changes nothing, for some real seconds."""
        return self._add(Operation(_new_name(), str(cluster), kind, seconds, fixed=True))

    def note_failed(self, cluster: ClusterName, kind: str, failure: str, node_pool: str = "") -> None:
        """Remember an operation that has ended badly, without any effect."""
        operation = Operation(_new_name(), str(cluster), kind, 0, node_pool, failure=failure)
        operation.ended = operation.started
        self._documents[operation.key] = asdict(operation)

    def _add(self, operation: Operation) -> Operation:
        self._documents[operation.key] = asdict(operation)
        self._unfinished[operation.key] = operation
        self._news.set()
        return operation

    def running(self, cluster: ClusterName) -> Operation | None:
        """Return the operation that holds the cluster, if there is one."""
        return next((item for item in self._unfinished.values() if item.cluster == str(cluster)), None)

    def get(self, key: str) -> Operation:
        """Find an operation.

        Raises:
            GoogleError: 404.
        """
        document = self._documents.get(key)
        if document is None:
            raise GoogleError(404, f"Not found: {key}.")
        return self._unfinished.get(key) or Operation(**document)

    def list(self, project: str, location: str) -> list[Operation]:
        """List the operations of a location, or of all with "-", oldest first."""
        found = (Operation(**document) for document in self._documents.values())
        within = f"projects/{project}/locations/" + ("" if location == "-" else f"{location}/")
        return sorted(
            (item for item in found if item.cluster.startswith(within)), key=lambda item: item.started
        )

    async def cancel(self, key: str) -> None:
        """End an operation now, without its effect.

        Raises:
            GoogleError: 404; 400 when it is over.
        """
        operation = self.get(key)
        if operation.ended:
            raise GoogleError(400, f"Operation {operation.name} is already done.", "FAILED_PRECONDITION")
        async with self._turn:
            operation.failure = CANCELLED
            await self._end(operation)

    async def settle(self) -> None:
        """End every operation that is due."""
        async with self._turn:
            for operation in list(self._unfinished.values()):
                if operation.remaining(self._world.settings.time_scale) <= 0:
                    await self._end(operation)

    async def end_now(self, operation: Operation) -> None:
        """End one operation before its time."""
        async with self._turn:
            await self._end(operation)

    async def _end(self, operation: Operation) -> None:
        if operation.key not in self._unfinished:
            return
        await self._finish(operation)
        operation.ended = time.time()
        self._documents[operation.key] = asdict(operation)
        del self._unfinished[operation.key]

    def forget(self) -> None:
        """Drop all operations, the running ones too."""
        self._unfinished.clear()
        self._documents.clear()

    async def run(self) -> None:
        """End operations in time, also when nobody asks for them."""
        while True:
            self._news.clear()
            await self.settle()
            if not self._unfinished:
                await self._news.wait()
                continue
            scale = self._world.settings.time_scale
            soonest = min(operation.remaining(scale) for operation in self._unfinished.values())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(max(soonest, 0), LONGEST_NAP))


def _new_name() -> str:
    return f"operation-{time.time_ns() // 1_000_000}-{uuid.uuid4()}"


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
