"""The model server as a witness of a benchmark, looked at before and after: the client sees too little.

What was seen before stands in the Job's annotation, so that a later run which joins the Job knows it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from runbook.clients.kube.objects import Object
from runbook.clients.kube.service import is_ready
from runbook.engine.errors import RunbookError
from runbook.measurement.server import Counters, Look
from runbook.steps.bench.asking import asked
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.server import deployment

SEEN_BEFORE: Final = "runbook/server-before"
_TIMEOUT_SECONDS: Final = 20.0


def look(context: Context) -> Look:
    """Look at the server's Pods and, where there is one that answers, at its counters."""
    pods = [pod for pod in server_pods(context) if not _is_ending(pod)]
    unready = tuple(pod["metadata"]["name"] for pod in pods if not is_ready(pod))
    return Look(
        {pod["metadata"]["name"]: _restarts(pod) for pod in pods},
        _counters(context) if len(pods) - len(unready) == 1 else None,
        unready,
    )


def server_pods(context: Context) -> Sequence[Object]:
    """List the Pods of the server's Deployment; none where that is not there."""
    found = client(context).get(deployment(context))
    if found is None:
        return []
    namespace = context.variables.kube.namespace
    return client(context).list("v1", "Pod", namespace, labels=found["spec"]["selector"]["matchLabels"])


def noted(wanted: Object, before: Look) -> Object:
    """Write into a Job what was seen before it; other objects stay as they are."""
    if wanted["kind"] != "Job":
        return wanted
    metadata = wanted["metadata"]
    annotations = {**metadata.get("annotations", {}), SEEN_BEFORE: json.dumps(before.record())}
    return {**wanted, "metadata": {**metadata, "annotations": annotations}}


def seen_before(job: Object) -> Look | None:
    """Read what was seen before a Job; None where it was made by hand."""
    text = job["metadata"].get("annotations", {}).get(SEEN_BEFORE)
    return Look.of_record(json.loads(text)) if text else None


def image_digest(pods: Sequence[Object]) -> str | None:
    """Give the digest of the image that the server's Pods run; None where it is not known."""
    found = {str(status.get("imageID", "")) for pod in pods for status in _main(pod)}
    digests = {image.partition("@")[2] for image in found}
    return digests.pop() if len(digests) == 1 and "" not in digests else None


def repository(image: str) -> str:
    """Give an image's name without its tag; a registry's port is no tag."""
    path, slash, last = image.rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def _counters(context: Context) -> Counters | None:
    """Read the counters through a port-forward of its own; without them a run can still be judged, weaker."""
    try:
        with asked(context, _TIMEOUT_SECONDS, context.report.condition) as server:
            return Counters.of_page(server.metrics())
    except RunbookError as error:
        context.report.warning(f"the server's counters are not known: {error.message}")
        return None


def _is_ending(pod: Object) -> bool:
    """Tell a Pod that another takes the place of: deleted, or evicted, which stays listed."""
    phase = pod.get("status", {}).get("phase")
    return "deletionTimestamp" in pod["metadata"] or phase in {"Failed", "Succeeded"}


def _restarts(pod: Object) -> int:
    return sum(int(status["restartCount"]) for status in _main(pod))


def _main(pod: Object) -> Sequence[Object]:
    """Give the states of the containers that serve: sidecars of the mount come and go."""
    names = {container["name"] for container in pod["spec"]["containers"]}
    statuses: list[Object] = pod.get("status", {}).get("containerStatuses", [])
    return [status for status in statuses if status["name"] in names]
