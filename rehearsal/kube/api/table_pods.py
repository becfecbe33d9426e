"""A Pod's line in `kubectl get pods`: its readiness, its status word, its restarts."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.ages import age
from rehearsal.kube.api.store import Object

_NONE = "<none>"


def pod_cells(pod: Object) -> list[Any]:
    """Give the cells of one Pod."""
    spec, status = pod["spec"], pod.get("status", {})
    statuses = status.get("containerStatuses", [])
    ready = sum(1 for container in statuses if container.get("ready"))
    return [
        pod["metadata"]["name"],
        f"{ready}/{len(spec.get('containers', []))}",
        pod_status(pod),
        _restarts(statuses),
        age(pod["metadata"].get("creationTimestamp")),
        status.get("podIP") or _NONE,
        spec.get("nodeName") or _NONE,
        status.get("nominatedNodeName") or _NONE,
        _NONE,
    ]


def pod_status(pod: Object) -> str:
    """Give the one word that kubectl shows for a Pod's state, such as CrashLoopBackOff."""
    status = pod.get("status", {})
    word: str = status.get("reason") or status.get("phase") or "Pending"
    initial = _initial(pod)
    if initial is not None:
        word = initial
    else:
        for container in reversed(status.get("containerStatuses", [])):
            word = _container_word(container) or word
        if word == "Completed" and _any_running(status):
            word = "Running" if _ready(status) else "NotReady"
    if "deletionTimestamp" in pod["metadata"]:
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return word


def _container_word(container: Object) -> str | None:
    state = container.get("state", {})
    if reason := state.get("waiting", {}).get("reason"):
        return str(reason)
    if (ended := state.get("terminated")) is not None:
        return str(ended.get("reason") or _exit_word(ended))
    return None


def _exit_word(ended: Object) -> str:
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode', 0)}"


def _initial(pod: Object) -> str | None:
    """Give the word of the first init container that is not done; None when all are."""
    total = len(pod["spec"].get("initContainers", []))
    for index, container in enumerate(pod.get("status", {}).get("initContainerStatuses", [])):
        state = container.get("state", {})
        ended = state.get("terminated")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if container.get("started") and container.get("ready"):
            continue
        word = _container_word(container)
        return f"Init:{word}" if word and word != "PodInitializing" else f"Init:{index}/{total}"
    return None


def _any_running(status: Object) -> bool:
    return any("running" in entry.get("state", {}) for entry in status.get("containerStatuses", []))


def _ready(status: Object) -> bool:
    return any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in status.get("conditions", [])
    )


def _restarts(statuses: list[Object]) -> str:
    count = sum(entry.get("restartCount", 0) for entry in statuses)
    ended = [
        entry["lastState"]["terminated"].get("finishedAt")
        for entry in statuses
        if entry.get("lastState", {}).get("terminated")
    ]
    latest = max((time for time in ended if time), default=None)
    return f"{count} ({age(latest)} ago)" if count and latest else str(count)
