"""What is broken and fits no known symptom: told as it is seen, so that it is not passed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from runbook.doctor.diagnosis.pods import SIDECAR, name_of, statuses
from runbook.doctor.diagnosis.snapshot import Snapshot
from runbook.doctor.finding import Finding
from runbook.engine.errors import MissingError
from runbook.engine.shell import one_line
from runbook.steps.context import Context
from runbook.steps.kube.cluster import kubectl
from runbook.steps.kube.rollout import progress
from runbook.steps.symptoms.evidence import Evidence, Source

_LINES: Final = 5


def unnamed(context: Context, seen: Snapshot, said: Sequence[Evidence]) -> Iterator[Finding]:
    """Tell of refused reads, failed operations, a failed benchmark and a server that is not ready.

    Args:
        said: the snapshot's texts, without those that show a known symptom.
    """
    for item in said:
        if item.source is Source.OPERATION:
            yield Finding(item.subject, "failed", item.text.strip())
    told = {item.text for item in said if item.source is Source.REFUSAL}
    refusals = {
        error.message: error
        for error in seen.refusals
        if error.message in told and not isinstance(error, MissingError)
    }
    for message, error in refusals.items():
        yield Finding(f"reading {error.place or 'the cloud'}", "failed", message, error.remedy or "")
    yield from _benchmark(context, seen)
    now = progress(seen.deployment) if seen.deployment else None
    if now and not now.done:
        name = seen.variables.server.name
        namespace = f"--namespace={seen.variables.kube.namespace}"
        fact = f"{now.text}, for no known reason: it may just be starting"
        yield Finding(
            f"deployment {name}",
            "warning",
            fact,
            one_line(kubectl(context, "describe", "pods", namespace, f"--selector=app={name}")),
            tuple(_states(seen)),
        )


def _benchmark(context: Context, seen: Snapshot) -> Iterator[Finding]:
    """Tell of the last benchmark where it failed, with the end of its log."""
    for log in seen.logs:
        if log.pod["status"].get("phase") == "Failed" and log.container != SIDECAR:
            name = log.pod["metadata"]["name"]
            namespace = f"--namespace={seen.variables.kube.namespace}"
            remedy = one_line(kubectl(context, "logs", name, namespace))
            yield Finding(f"pod {name}", "warning", "it failed", remedy, log.text.splitlines()[-_LINES:])


def _states(seen: Snapshot) -> Iterator[str]:
    """Say what the containers in trouble wait for, and the last that was said about their Pod."""
    for pod in seen.troubled_pods:
        for status in statuses(pod):
            waiting = status.get("state", {}).get("waiting")
            if waiting:
                text = f"{waiting.get('reason', '')} {waiting.get('message', '')}".strip()
                yield f"{name_of(pod)}, container {status['name']}: {text}"
        events = [e for e in seen.events if e.get("involvedObject", {}).get("uid") == pod["metadata"]["uid"]]
        warnings = [event for event in events if event.get("type") == "Warning"]
        for event in sorted(warnings, key=lambda item: str(item.get("lastTimestamp")))[-1:]:
            yield f"{name_of(pod)}: {event.get('reason')}: {event.get('message')}"
