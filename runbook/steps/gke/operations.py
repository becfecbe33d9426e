"""Operations of the cluster: joined where one already runs, posted once, waited for."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

from runbook.clients.gke_requests import ClusterName, GkeRequest
from runbook.clients.google_errors import CAPACITY, BusyError, capacity
from runbook.engine.change import Action
from runbook.engine.errors import FailedError, PassingError, Place
from runbook.steps.context import Context
from runbook.steps.gke.reads import cluster_key, location

Operation = dict[str, Any]
"""The GKE API's Operation."""

FIRST_PAUSE_S = 0.05


def cluster_name(context: Context) -> ClusterName:
    """Name this environment's cluster."""
    variables = context.variables
    return ClusterName(variables.project, location(context), variables.cluster.name)


def joined(context: Context, timeout_s: float) -> Generator[Action, None, bool]:
    """Wait for the operations that already run on the cluster, instead of posting beside them.

    Args:
        timeout_s: how long to wait for one of them, in seconds.

    Returns:
        whether there were any: then what was read before is old.
    """
    key = (*cluster_key(context), "operations")
    operations = context.facts.read(key, lambda: running(context))
    for operation in operations:
        yield Action(
            what=described(operation),
            act=lambda operation=operation: finish(context, operation, timeout_s),  # type: ignore[misc] # a loop's
            refreshes=(cluster_key(context),),
            command=_wait_command(context, operation),
        )
    return bool(operations)


def make(context: Context, request: GkeRequest, timeout_s: float) -> None:
    """Post a change and wait until its operation has ended; where the cluster is busy, wait for that first.

    Args:
        request: what is to be changed.
        timeout_s: how long to wait in all, in seconds.

    Raises:
        FailedError: the operation ended with an error, or still runs at the deadline.
        CapacityError: there are no machines to be had.
        RunbookError: the API refused.
    """
    deadline = time.monotonic() + timeout_s
    pause = FIRST_PAUSE_S
    while True:
        try:
            operation = _posted(context, request)
        except BusyError as busy:
            if time.monotonic() > deadline:
                raise
            context.report.condition(busy.message)
            for other in running(context):
                finish(context, other, deadline - time.monotonic())
            context.pause(pause)
            pause = _longer(context, pause)
        else:
            finish(context, operation, deadline - time.monotonic())
            return


def running(context: Context) -> list[Operation]:
    """Read the operations on this cluster, or on one of its node pools, that have not ended."""
    variables = context.variables
    target = f"/clusters/{variables.cluster.name}/"
    return [
        operation
        for operation in context.connections.gke.operations(variables.project, location(context))
        if operation["status"] != "DONE" and target in f"{operation.get('targetLink', '')}/"
    ]


def finish(context: Context, operation: Operation, timeout_s: float) -> None:
    """Wait until an operation has ended well.

    Args:
        timeout_s: how long to wait, in seconds.

    Raises:
        FailedError: it ended with an error, or still runs at the deadline.
        CapacityError: there are no machines to be had.
    """
    deadline = time.monotonic() + timeout_s
    pause = FIRST_PAUSE_S
    while operation["status"] != "DONE":
        if time.monotonic() > deadline:
            raise FailedError(
                f"{described(operation)} still runs after {timeout_s:.0f} s",
                place=_place(operation),
                remedy="run the same line again: it goes on waiting for this operation",
            )
        context.report.condition(_condition(operation))
        context.pause(pause)
        pause = _longer(context, pause)
        operation = _again(context, operation)
    _judge(operation)


def described(operation: Operation) -> str:
    """Name an operation as it is shown, such as `operation-1 (CREATE_CLUSTER)`."""
    return f"{operation['name']} ({operation.get('operationType', 'unknown type')})"


def _posted(context: Context, request: GkeRequest) -> Operation:
    """Post a change; where the answer is lost, the operation that it began is the one to wait for."""
    try:
        return context.connections.gke.send(request)
    except BusyError:
        raise
    except PassingError:
        begun = running(context)
        if not begun:
            raise
        return begun[0]


def _again(context: Context, operation: Operation) -> Operation:
    name: str = operation["name"]
    found = context.connections.gke.operation(context.variables.project, location(context), name)
    if found is None:
        raise FailedError(f"{described(operation)} is not known any more", place=_place(operation))
    return found


def _judge(operation: Operation) -> None:
    problem = operation.get("error", {}).get("message") or operation.get("statusMessage")
    if not problem:
        return
    place = _place(operation)
    if CAPACITY.search(problem):
        raise capacity(problem, place)
    raise FailedError(f"{described(operation)} ended with an error: {problem}", place=place)


def _condition(operation: Operation) -> str:
    detail = operation.get("detail")
    return f"{described(operation)} {operation['status']}" + (f": {detail}" if detail else "")


def _place(operation: Operation) -> Place:
    return Place(f"GET {operation.get('selfLink') or operation['name']}")


def _longer(context: Context, pause: float) -> float:
    return min(pause * 2, context.variables.run.poll_s)


def _wait_command(context: Context, operation: Operation) -> tuple[str, ...]:
    return (
        *("gcloud", "container", "operations", "wait", operation["name"]),
        *cluster_name(context).flags,
    )
