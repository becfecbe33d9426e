"""The texts of a snapshot, one by one, with who says them. What is over and well is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from runbook.clients.kube.objects import Object
from runbook.doctor.diagnosis.pods import SIDECAR, name_of, statuses
from runbook.doctor.diagnosis.snapshot import Snapshot
from runbook.steps.symptoms.evidence import Evidence, Source

_MOUNT_REASONS: Final = frozenset({"FailedMount", "FailedAttachVolume"})
_AFTER_MOUNTS: Final = frozenset({"Pulling", "Pulled", "Created", "Started"})
_VOLUME: Final = re.compile(r'volume "[^"]*"')


def texts(seen: Snapshot) -> list[Evidence]:
    """List all texts of a snapshot."""
    return list(
        chain(
            _events(seen),
            _container_statuses(seen),
            _logs(seen),
            _operations(seen),
            _conditions(seen),
            _refusals(seen),
            _last_run(seen),
        )
    )


def _events(seen: Snapshot) -> Iterator[Evidence]:
    """Give what is said about Pods in trouble."""
    troubled = {pod["metadata"]["uid"]: pod for pod in seen.troubled_pods}
    for event in _without_past_mounts(sorted(seen.events, key=_order)):
        pod = troubled.get(_about(event))
        if pod is not None:
            yield Evidence(Source.EVENT, name_of(pod), f"{event.get('reason')}: {event.get('message', '')}")


def _about(event: Object) -> str:
    uid: str = event.get("involvedObject", {}).get("uid", "")
    return uid


def _order(event: Object) -> tuple[str, str]:
    """Say when an event was last seen; times are whole seconds, so the version decides between equals."""
    last = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
    return str(last)[:19], event["metadata"]["resourceVersion"].zfill(20)


def _without_past_mounts(events: Sequence[Object]) -> list[Object]:
    """Leave out failures to mount that are over.

    A later failure of the same volume takes the place of an earlier one, and a container's image or start is
    asked for only when all volumes of the Pod are mounted.

    Args:
        events: the oldest first.
    """
    kept: dict[tuple[str, ...], Object] = {}
    for event in events:
        if event.get("reason") in _MOUNT_REASONS:
            volume = _VOLUME.search(event.get("message") or "")
            key: tuple[str, ...] = ("mount", _about(event), volume[0] if volume else "")
        else:
            key = ("event", event["metadata"]["name"])
        if event.get("reason") in _AFTER_MOUNTS:
            kept = {key: old for key, old in kept.items() if key[:2] != ("mount", _about(event))}
        kept[key] = event
    return list(kept.values())


def _container_statuses(seen: Snapshot) -> Iterator[Evidence]:
    for pod in seen.troubled_pods:
        for status in statuses(pod):
            for state in (status.get("state", {}), status.get("lastState", {})):
                for found in (state.get("waiting"), state.get("terminated")):
                    if found:
                        text = f"{status['name']}: {_state_text(found)}"
                        yield Evidence(Source.STATUS, f"{name_of(pod)}, container", text)


def _state_text(state: Mapping[str, Any]) -> str:
    code = f", exit code: {state['exitCode']}" if "exitCode" in state else ""
    return f"{state.get('reason', '')}{code} {state.get('message', '')}"


def _logs(seen: Snapshot) -> Iterator[Evidence]:
    troubled = [pod["metadata"]["uid"] for pod in seen.troubled_pods]
    for log in seen.logs:
        source = Source.LOG if log.pod["metadata"]["uid"] in troubled else Source.READY_LOG
        source = Source.SIDECAR if log.container == SIDECAR else source
        before = ", before its restart" if log.previous else ""
        for line in log.text.splitlines():
            yield Evidence(source, f"{name_of(log.pod)}, log of {log.container}{before}", line)


def _operations(seen: Snapshot) -> Iterator[Evidence]:
    """Give the errors of operations that nothing has made good since."""
    for operation in seen.operations:
        message = (operation.get("error") or {}).get("message") or operation.get("statusMessage")
        if message and is_about_cluster(seen, operation) and not _made_good(seen, operation):
            yield Evidence(Source.OPERATION, named(operation), message)


def named(operation: Mapping[str, Any]) -> str:
    """Name an operation with its type."""
    return f"{operation['name']} ({operation.get('operationType')})"


def is_about_cluster(seen: Snapshot, operation: Mapping[str, Any]) -> bool:
    """Tell whether an operation is about this environment's cluster or a node pool of it."""
    return f"/clusters/{seen.variables.cluster.name}/" in f"{operation.get('targetLink', '')}/"


def _made_good(seen: Snapshot, failed: Mapping[str, Any]) -> bool:
    """Tell whether a later operation on the same thing ended well, or a node pool that failed runs now."""
    target = failed.get("targetLink")
    pool = seen.node_pool
    if pool is not None and pool.get("status") == "RUNNING" and str(target).endswith(f"/{pool['name']}"):
        return True
    return any(
        later.get("targetLink") == target
        and later.get("status") == "DONE"
        and not (later.get("error") or later.get("statusMessage"))
        and str(later.get("startTime")) > str(failed.get("startTime"))
        for later in seen.operations
    )


def _conditions(seen: Snapshot) -> Iterator[Evidence]:
    for about, found in (("cluster", seen.cluster or {}), ("node pool", seen.node_pool or {})):
        if found.get("status") == "RUNNING":
            continue
        for condition in found.get("conditions", ()):
            code = condition.get("code") or condition.get("canonicalCode", "")
            subject = f"{about} {found['name']}, {found.get('status')}"
            yield Evidence(Source.OPERATION, subject, f"{code} {condition.get('message', '')}")


def _refusals(seen: Snapshot) -> Iterator[Evidence]:
    for error in seen.refusals:
        yield Evidence(Source.REFUSAL, str(error.place or "a read"), error.message)


def _last_run(seen: Snapshot) -> Iterator[Evidence]:
    """Give why the last run failed, unless the node pool that it may have wanted runs by now."""
    if seen.last_run is None or (seen.node_pool or {}).get("status") == "RUNNING":
        return
    for outcome in seen.last_run["outcomes"]:
        if outcome["error"]:
            subject = f"step {outcome['section']} of run {seen.last_run['run_id']}"
            yield Evidence(Source.RUN, subject, outcome["error"]["message"])
