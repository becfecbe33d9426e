"""P16: nobody else's volume stands where the server's should."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.clients.kube.objects import Object
from runbook.doctor.preflight.check import Answer, Answers, failed, ok
from runbook.doctor.preflight.reads import labels_of, listed, reachable
from runbook.engine.shell import one_line
from runbook.steps.context import Context
from runbook.steps.kube.cluster import kubectl
from runbook.steps.kube.workload import labels, volume_names


def no_foreign_volume(context: Context) -> Answers:
    """P16: no volume of another owner has our volume's name, or is kept for our claim."""
    if not reachable(context):
        yield ok("there is no cluster yet")
        return
    volumes = listed(context, "v1", "PersistentVolume")
    problems = [problem for volume in volumes for problem in _problems(context, volume)]
    if problems:
        yield from problems
        return
    yield ok(f"no other of {len(volumes)} volumes has the server's name or claim")


def _problems(context: Context, volume: Object) -> Iterator[Answer]:
    names = volume_names(context.variables)
    name = volume["metadata"]["name"]
    namespace = context.variables.kube.namespace
    kept_for = volume["spec"].get("claimRef") or {}
    claim = f"{kept_for.get('namespace')}/{kept_for.get('name')}"
    ours = f"{namespace}/{names.claim}"
    if name != names.volume and claim == ours:
        free = one_line(kubectl(context, "delete", "persistentvolume", name))
        yield failed(
            f"persistentvolume/{name} is kept for our claim {ours}: the claim may bind to it",
            f"{free} lets go of it, if nobody needs it",
        )
    if name != names.volume:
        return
    if kept_for and claim != ours:
        yield failed(f"persistentvolume/{name} is kept for another claim, {claim}", "set volume.name anew")
    has = labels_of(volume)
    others = [
        f"{label} is {has.get(label)}" for label, value in labels(context).items() if has.get(label) != value
    ]
    if others:
        owner = ", ".join(others)
        yield failed(
            f"persistentvolume/{name} is somebody else's: {owner}", "set volume.name to another name"
        )
