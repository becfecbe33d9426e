"""A Job's podFailurePolicy: what the failure of one Pod means for the Job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rehearsal.kube.api.store import Object


class Verdict(NamedTuple):
    """What a failure means.

    Args:
        action: FailJob, FailIndex, Ignore or Count.
        message: which rule said so; empty where none did.
    """

    action: str
    message: str = ""


def verdict(job: Object, pod: Object) -> Verdict:
    """Judge a failed Pod by the first rule that matches; without one the failure counts."""
    rules = (job["spec"].get("podFailurePolicy") or {}).get("rules") or []
    for number, rule in enumerate(rules):
        if cause := next(_causes(rule, pod), None):
            return Verdict(rule["action"], f"{cause} matching {rule['action']} rule at index {number}")
    return Verdict("Count")


def _causes(rule: Object, pod: Object) -> Iterator[str]:
    metadata, status = pod["metadata"], pod.get("status") or {}
    name = f"{metadata['namespace']}/{metadata['name']}"
    for container, code in _exit_codes(status):
        if _matches(rule.get("onExitCodes"), container, code):
            yield f"Container {container} for pod {name} failed with exit code {code}"
    present = {(entry["type"], entry["status"]) for entry in status.get("conditions") or []}
    for pattern in rule.get("onPodConditions") or []:
        if (pattern["type"], pattern["status"]) in present:
            yield f"Pod {name} has condition {pattern['type']}"


def _exit_codes(status: Object) -> Iterator[tuple[str, int]]:
    for field in ("initContainerStatuses", "containerStatuses"):
        for entry in status.get(field) or []:
            code = entry["state"].get("terminated", {}).get("exitCode", 0)
            if code:
                yield entry["name"], code


def _matches(wanted: Object | None, container: str, code: int) -> bool:
    if wanted is None or wanted.get("containerName", container) != container:
        return False
    return bool((code in wanted["values"]) == (wanted["operator"] == "In"))
