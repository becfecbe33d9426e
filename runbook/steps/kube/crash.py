"""Why a container ends again and again: how it ended, its last lines, and the error that began it."""

from __future__ import annotations

import re
from typing import Final

from runbook.clients.kube.objects import Object, Reader
from runbook.steps.kube.remedies import KUBECTL
from runbook.steps.kube.trouble import Diagnosis
from runbook.steps.symptoms.evidence import Source
from runbook.steps.symptoms.known import said

_SIDECAR: Final = "gke-gcsfuse-sidecar"
_REFUSAL: Final = re.compile(r"[Ee]rror|denied|Denied|does not have|40[134]")
_NOT_YET: Final = re.compile(r"\b40[13]\b|[Dd]enied|[Ff]orbidden|does not have|Unauthenticated")
_READ_LINES: Final = 400
_SHOWN_LINES: Final = 15
_REFUSAL_LINES: Final = 15
_GRANT_SECONDS: Final = 300.0
"""A grant takes minutes until it holds everywhere."""
_HIDDEN: Final = "Engine core initialization failed"
_ERROR: Final = re.compile(r"(?:^|[\s\]])(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception)\b(?:: |$)|\b[A-Z_]{6,}: ")
_OUT_OF_MEMORY: Final = "OOMKilled"
_MEMORY_REMEDY: Final = (
    "give it more: a memory limit in manifests/ must be above twice the weights, or away; and look at what"
    f" else runs on the node: {KUBECTL} describe node"
)


def explained(kube: Reader, pod: Object, container: Object) -> Diagnosis:
    """Explain a container that crashes again and again.

    Args:
        pod: whose container it is.
        container: its status.
    """
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    ended = container.get("lastState", {}).get("terminated", {})
    log = kube.logs(namespace, name, container["name"], previous=True, tail=_READ_LINES)
    refusals = _refusals(kube, pod)
    reason = f" ({ended['reason']})" if ended.get("reason") == _OUT_OF_MEMORY else ""
    times = container["restartCount"]
    code = f"code {ended.get('exitCode')}{reason}"
    evidence = f"Pod {name}, container {container['name']}, ended with {code}, {times} times"
    if cause := root_cause(log):
        evidence += f"; it began with: {cause}"
    evidence += f"; its last lines:\n{_indented(_last(log))}"
    if refusals:
        # as it may be the cause
        evidence += f"\n{_SIDECAR} says:\n{_indented(refusals)}"
    condition = f"Pod {name} CrashLoopBackOff: {container['state']['waiting'].get('message', '')}"
    patience = _GRANT_SECONDS if _NOT_YET.search(refusals) else 0
    symptom, remedy = _known(container["name"], log, refusals, reason), _remedy(name, namespace, container)
    return Diagnosis(condition, "CrashLoopBackOff", patience, evidence, remedy, symptom=symptom)


def root_cause(log: str) -> str:
    """Find the error that vLLM's "See root cause above" means; empty where the log has no such line."""
    lines = log.splitlines()
    at = next((number for number, line in enumerate(lines) if _HIDDEN in line), None)
    if at is None:
        return ""
    return next((line.strip() for line in reversed(lines[:at]) if _ERROR.search(line)), "")


def _known(container: str, log: str, refusals: str, reason: str) -> str:
    """Name the symptom that the container's words show; an end for want of memory speaks for itself."""
    status = f"{container}: {reason.strip(' ()')}"
    found = said(Source.STATUS, status) or (None if reason else said(Source.LOG, log))
    found = found or said(Source.SIDECAR, refusals)
    return found.id if found else ""


def _remedy(pod: str, namespace: str, container: Object) -> str:
    if container.get("lastState", {}).get("terminated", {}).get("reason") == _OUT_OF_MEMORY:
        return _MEMORY_REMEDY
    where = f"--namespace={namespace} {pod} --container={container['name']}"
    return f"all it said: {KUBECTL} logs {where} --previous"


def _refusals(kube: Reader, pod: Object) -> str:
    mount = kube.logs(pod["metadata"]["namespace"], pod["metadata"]["name"], _SIDECAR, tail=_REFUSAL_LINES)
    return "\n".join(line for line in mount.splitlines() if _REFUSAL.search(line))


def _last(log: str) -> str:
    return "\n".join(log.splitlines()[-_SHOWN_LINES:])


def _indented(log: str) -> str:
    return "\n".join(f"  {line}" for line in log.splitlines() if line.strip())
