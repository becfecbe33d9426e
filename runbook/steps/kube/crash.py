"""Why a container ends again and again: how it ended, its last lines, and the error that began it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.objects import Object, Reader
from runbook.engine.errors import PassingError, UserError
from runbook.steps.kube.remedies import KUBECTL
from runbook.steps.kube.trouble import SOON_SECONDS, Diagnosis
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


@dataclass(frozen=True)
class _Log:
    """What a container said.

    Args:
        text: its last lines.
        trouble: why they could not be read; empty where they were.
        may_come: they can perhaps be read a little later.
    """

    text: str = ""
    trouble: str = ""
    may_come: bool = False


def explained(kube: Reader, pod: Object, container: Object) -> Diagnosis:
    """Explain a container that crashes again and again.

    Args:
        pod: whose container it is.
        container: its status.
    """
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    ended = container.get("lastState", {}).get("terminated", {})
    log = _read(kube, pod, container["name"], previous=True, tail=_READ_LINES)
    mount = _read(kube, pod, _SIDECAR, previous=False, tail=_REFUSAL_LINES)
    refusals = "\n".join(line for line in mount.text.splitlines() if _REFUSAL.search(line))
    reason = f" ({ended['reason']})" if ended.get("reason") == _OUT_OF_MEMORY else ""
    times = container["restartCount"]
    code = f"code {ended.get('exitCode')}{reason}"
    evidence = f"Pod {name}, container {container['name']}, ended with {code}, {times} times"
    evidence += _told(log)
    if refusals:
        # as it may be the cause
        evidence += f"\n{_SIDECAR} says:\n{_indented(refusals)}"
    condition = f"Pod {name} CrashLoopBackOff: {container['state']['waiting'].get('message', '')}"
    patience = SOON_SECONDS if log.may_come or mount.may_come else 0
    if _NOT_YET.search(refusals):
        patience = _GRANT_SECONDS
    symptom = _known(container["name"], log.text, refusals, reason)
    remedy = _remedy(name, namespace, container)
    return Diagnosis(condition, "CrashLoopBackOff", patience, evidence, remedy, symptom=symptom)


def _read(kube: Reader, pod: Object, container: str, *, previous: bool, tail: int) -> _Log:
    """Read a log; the kubelet may not answer, and the login may not be allowed to ask."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    try:
        return _Log(kube.logs(namespace, name, container, previous=previous, tail=tail))
    except PassingError as error:
        return _Log(trouble=error.message, may_come=True)
    except UserError as error:
        return _Log(trouble=error.message)


def _told(log: _Log) -> str:
    if log.trouble:
        return f"; its log could not be read: {log.trouble}"
    cause = root_cause(log.text)
    began = f"; it began with: {cause}" if cause else ""
    return f"{began}; its last lines:\n{_indented(_last(log.text))}"


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


def _last(log: str) -> str:
    return "\n".join(log.splitlines()[-_SHOWN_LINES:])


def _indented(log: str) -> str:
    return "\n".join(f"  {line}" for line in log.splitlines() if line.strip())
