"""The lines of Deployments, ReplicaSets, Jobs and their like in `kubectl get`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rehearsal.kube.api.ages import age, human_duration, parse_time
from rehearsal.kube.api.store import Object

_NONE = "<none>"


def selector_text(selector: Object) -> str:
    """Write a selector as one word: `app=vllm-tpu`."""
    terms = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for term in selector.get("matchExpressions") or []:
        listed = ",".join(term.get("values") or [])
        terms.append({
            "Exists": term["key"],
            "DoesNotExist": f"!{term['key']}",
            "In": f"{term['key']} in ({listed})",
            "NotIn": f"{term['key']} notin ({listed})",
        }[term["operator"]])  # fmt: skip
    return ",".join(terms) or _NONE


def _name_and_age(obj: Object) -> tuple[str, str]:
    return obj["metadata"]["name"], age(obj["metadata"].get("creationTimestamp"))


def _containers(obj: Object) -> list[str]:
    containers = obj["spec"]["template"]["spec"].get("containers", [])
    names = ",".join(container["name"] for container in containers)
    return [names or _NONE, ",".join(container.get("image", "") for container in containers) or _NONE]


def _deployment(obj: Object) -> list[Any]:
    name, since = _name_and_age(obj)
    status = obj.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [name, ready, *counts, since, *_containers(obj), selector_text(obj["spec"]["selector"])]


def _replica_set(obj: Object) -> list[Any]:
    name, since = _name_and_age(obj)
    status = obj.get("status", {})
    counts = [obj["spec"].get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [name, *counts, since, *_containers(obj), selector_text(obj["spec"]["selector"])]


def _stateful_set(obj: Object) -> list[Any]:
    name, since = _name_and_age(obj)
    ready = f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [name, ready, since, *_containers(obj)]


def _daemon_set(obj: Object) -> list[Any]:
    name, since = _name_and_age(obj)
    status = obj.get("status", {})
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
              "numberAvailable")  # fmt: skip
    node_selector = obj["spec"]["template"]["spec"].get("nodeSelector", {})
    where = selector_text({"matchLabels": node_selector})
    return [
        name,
        *(status.get(field, 0) for field in fields),
        where,
        since,
        *_containers(obj),
        selector_text(obj["spec"]["selector"]),
    ]


def _job(obj: Object) -> list[Any]:
    name, since = _name_and_age(obj)
    spec, status = obj["spec"], obj.get("status", {})
    completions = spec.get("completions", 1)
    done = f"{status.get('succeeded', 0)}/{completions}"
    selector = selector_text(spec.get("selector", {}))
    return [name, _job_status(obj), done, _job_duration(status), since, *_containers(obj), selector]


def _job_status(job: Object) -> str:
    holds = {
        condition["type"]
        for condition in job.get("status", {}).get("conditions", [])
        if condition.get("status") == "True"
    }
    for condition, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if condition in holds:
            return word
    if "deletionTimestamp" in job["metadata"]:
        return "Terminating"
    for condition in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if condition in holds:
            return condition
    return "Running"


def _job_duration(status: Object) -> str:
    if not status.get("startTime"):
        return ""
    start = parse_time(status["startTime"])
    end = parse_time(status["completionTime"]) if status.get("completionTime") else datetime.now(UTC)
    return human_duration((end - start).total_seconds())


WORKLOAD_PRINTERS: dict[str, tuple[str, Callable[[Object], list[Any]]]] = {
    "DaemonSet": (
        "Name Desired Current Ready Up-to-date Available Node_Selector Age | Containers Images Selector",
        _daemon_set,
    ),
    "Deployment": ("Name Ready Up-to-date Available Age | Containers Images Selector", _deployment),
    "Job": ("Name Status Completions Duration Age | Containers Images Selector", _job),
    "ReplicaSet": ("Name Desired Current Ready Age | Containers Images Selector", _replica_set),
    "StatefulSet": ("Name Ready Age | Containers Images", _stateful_set),
}
