"""Operations of the cluster: joined where one already runs, posted once, waited for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from runbook.clients.gke_requests import ClusterName, GkeRequest
from runbook.clients.google_errors import CAPACITY, BusyError, capacity
from runbook.engine.change import Action
from runbook.engine.errors import FailedError, PassingError, Place
from runbook.steps.context import Context
from runbook.steps.gke.reads import Cluster, cluster, cluster_key, location

Operation = dict[str, Any]
"""The GKE API's Operation."""

Needed = Callable[[Cluster | None], bool]
"""Tells from the cluster, None where there is none, whether a change is still to be made."""

FIRST_PAUSE_S = 0.05
OPERATION_NAME = re.compile(r"operation-[\w-]+")


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
            act=lambda operation=operation: _outlast(context, operation, timeout_s),  # type: ignore[misc] # a loop's
            refreshes=(cluster_key(context),),
            command=_wait_command(context, operation),
        )
    return bool(operations)


def make(context: Context, request: GkeRequest, timeout_s: float, needed: Needed) -> None:
    """Post a change and wait until its operation has ended.

    Where GKE is busy, or its answer is lost, nothing is posted again before the operation in the way has
    ended and the cluster has been read again: the change may have been made meanwhile.

    Args:
        request: what is to be changed.
        timeout_s: how long to wait in all, in seconds.
        needed: whether the change is still to be made.

    Raises:
        FailedError: the operation ended with an error, or still runs at the deadline.
        CapacityError: there are no machines to be had.
        RunbookError: the API refused.
    """
    deadline = time.monotonic() + timeout_s
    pause = FIRST_PAUSE_S
    operation = _posted(context, request, deadline, needed)
    while operation is None and needed(_read_again(context)):
        context.pause(pause)
        pause = _longer(context, pause)
        operation = _posted(context, request, deadline, needed)
    if operation is not None:
        finish(context, operation, deadline - time.monotonic())


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
    ended = _ended(context, operation, timeout_s)
    problem = _problem(ended)
    if not problem:
        return
    if CAPACITY.search(problem):
        left_over = ended.get("operationType") == "CREATE_NODE_POOL"
        raise capacity(problem, _place(ended), left_over=left_over)
    raise FailedError(f"{described(ended)} ended with an error: {problem}", place=_place(ended))


def described(operation: Operation) -> str:
    """Name an operation as it is shown, such as `operation-1 (CREATE_CLUSTER)`."""
    return f"{operation['name']} ({operation.get('operationType', 'unknown type')})"


def _outlast(context: Context, operation: Operation, timeout_s: float) -> None:
    """Wait until somebody else's operation has ended, well or badly: what is then there is read anew."""
    ended = _ended(context, operation, timeout_s)
    if problem := _problem(ended):
        context.report.warning(f"{described(ended)} ended with an error: {problem}")


def _ended(context: Context, operation: Operation, timeout_s: float) -> Operation:
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
    return operation


def _posted(context: Context, request: GkeRequest, deadline: float, needed: Needed) -> Operation | None:
    """Post a change; None where it could not be, or nobody knows: what was in the way has ended then."""
    try:
        return context.connections.gke.send(request)
    except BusyError as busy:
        if time.monotonic() > deadline:
            remedy = "run the same line again: it goes on waiting"
            raise FailedError(f"GKE stays busy: {busy.message}", place=busy.place, remedy=remedy) from None
        context.report.condition(busy.message)
        in_the_way = _in_the_way(busy.message, running(context))
    except PassingError:
        in_the_way = running(context)
        if not in_the_way and needed(_read_again(context)):
            raise
    for operation in in_the_way:
        _outlast(context, operation, deadline - time.monotonic())
    return None


def _in_the_way(refusal: str, operations: Sequence[Operation]) -> Sequence[Operation]:
    """Pick the operation that a refusal names; the one that has run longest where it names none."""
    named = OPERATION_NAME.search(refusal)
    found = [operation for operation in operations if named and operation["name"] == named[0]]
    return found or operations[:1]


def _read_again(context: Context) -> Cluster | None:
    context.facts.forget(cluster_key(context))
    return cluster(context)


def _again(context: Context, operation: Operation) -> Operation:
    name: str = operation["name"]
    found = context.connections.gke.operation(context.variables.project, location(context), name)
    if found is None:
        raise FailedError(f"{described(operation)} is not known any more", place=_place(operation))
    return found


def _problem(operation: Operation) -> str | None:
    problem: str | None = operation.get("error", {}).get("message") or operation.get("statusMessage")
    return problem


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
