"""A benchmark that runs already: it is joined where it measures the same, and refused where it does not."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.clients.kube.objects import Object
from runbook.engine.errors import ConflictError, Place
from runbook.engine.shell import one_line
from runbook.steps.bench.jobs import container, workload
from runbook.steps.context import Context
from runbook.steps.kube.cluster import kubectl

_OWN = "job="
"""The beginning of the metadata that names the Job itself."""


def require_same(context: Context, running: Object, wanted: Object) -> None:
    """Make sure that a running benchmark is the wanted one.

    Raises:
        ConflictError: it measures something else, and two at a time would measure each other.
    """
    name = running["metadata"]["name"]
    differences = list(_differences(running, wanted))
    if differences:
        raise ConflictError(
            f"job/{name} is measuring the server, and not the same: {'; '.join(differences)}",
            place=Place(f"job/{name}"),
            remedy="wait for its end (`inv step 5.2` follows it), or end it: "
            + one_line(deletion(context, name)),
        )


def deletion(context: Context, name: str) -> list[str]:
    """Write the command that ends a benchmark."""
    return kubectl(context, "delete", "job", name, f"--namespace={context.variables.kube.namespace}")


def _differences(running: Object, wanted: Object) -> Iterator[str]:
    if workload(running) != workload(wanted):
        yield f"workload {workload(running) or 'unknown'}, not {workload(wanted)}"
        return
    if container(running)["image"] != container(wanted)["image"]:
        yield f"image {container(running)['image']}, not {container(wanted)['image']}"
    here, there = _settings(running), _settings(wanted)
    for flag in dict.fromkeys([*here, *there]):
        if here.get(flag) != there.get(flag):
            yield f"{flag} {here.get(flag, 'absent')}, not {there.get(flag, 'absent')}"


def _settings(job: Object) -> dict[str, str]:
    """Read the client's arguments, without what names the Job itself."""
    words = [word for word in container(job).get("args", ()) if not word.startswith(_OWN)]
    return {name: value or "given" for name, _, value in (word.partition("=") for word in words)}
