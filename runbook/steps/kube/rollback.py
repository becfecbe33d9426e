"""The server runs the last revision that was ready, whatever was deployed after it.

Beyond the guide, and for the hour after a deploy that went wrong: as `kubectl rollout undo` does, the template
of an earlier ReplicaSet becomes the Deployment's again. The way there is that of each rollout: with maxSurge 0
the Pod that is there makes room first. The variables stay as they are, so the next `inv deploy` applies them
again; what that would change is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from pydantic import Field

from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.service import is_ready
from runbook.engine.change import UNKNOWN, Action, Change, Difference, FactKey, StepResult
from runbook.engine.errors import FailedError, Place, RunbookError, UserError
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.kube import rollout
from runbook.steps.kube.cluster import OBJECTS, client, kubectl, live, object_key
from runbook.steps.kube.difference import differences
from runbook.steps.kube.drafts import validate_template
from runbook.steps.kube.polling import poll
from runbook.steps.kube.revisions import HASH, Revision, current, last_ready, read_revisions
from runbook.steps.kube.server import answering_key, deployment, require_deployment
from runbook.steps.kube.workload import manifest

ROLLED_BACK: Final = "runbook/rolled-back-to"
"""The annotation that names the ReplicaSet which a rollback brought back: to run it again goes no further."""

_WARNING: Final = "the server answers again when the model has been loaded again"


class Arguments(StepArguments):
    """What `with:` may say."""

    template: str = Field(
        description="file of manifests/ that deploys the server: what the next deploy applies"
    )


def validate(arguments: Arguments, context: Context) -> None:
    """Render the template before the line begins, so that a mistake in it costs nothing."""
    validate_template(context, arguments.template)


def run(arguments: Arguments, context: Context) -> StepResult:
    """Find the revision that leads back, take its template, wait until it serves.

    Raises:
        MissingError: the server is not there.
        UserError: there is nothing to go back to.
    """
    present = require_deployment(context)
    target = _target(context, present)
    if present["spec"]["template"] != target.template:
        _require_parts(context, target)
        yield _change(context, present, target)
    present = live(context, deployment(context)) or present
    if not rollout.progress(present).done:
        yield _wait(context, target)
        present = live(context, deployment(context)) or present
    yield from _compared(arguments, context)
    now = rollout.progress(present)
    if context.check and not now.done:
        return f"revision {target.number} ({target.image}): its Pods would be waited for"
    return f"revision {target.number} ({target.image}) serves; {now.text}"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to go back by hand."""
    reference = deployment(context)
    wanted = context.variables.rollback.revision
    return Manual(
        commands=[_undo_command(context, wanted or None), _of(context, reference, "status")],
        check=[_of(context, reference, "history")],
        note="kubectl goes back to the revision before, ready or not; the step to the last one that was ready. "
        "`inv deploy` applies the variables again, which takes it back.",
    )


def _target(context: Context, present: Object) -> Revision:
    """Choose once in a line, as the present revision is another one afterwards."""
    known = _revisions(context, present)
    reference = deployment(context)
    key: FactKey = ("rollback", reference.namespace, reference.name)
    name = context.facts.read(key, lambda: _chosen(context, present, known).name)
    for revision in known:
        if revision.name == name:
            return revision
    raise FailedError(f"replicaset/{name} was deleted while {reference} went back to it")


def _revisions(context: Context, present: Object) -> list[Revision]:
    return context.facts.read(_revisions_key(context), lambda: read_revisions(client(context), present))


def _revisions_key(context: Context) -> FactKey:
    reference = deployment(context)
    return (*OBJECTS, "ReplicaSet", reference.namespace, reference.name, "revisions")


def _chosen(context: Context, present: Object, known: Sequence[Revision]) -> Revision:
    reference = deployment(context)
    if present["spec"].get("paused"):
        raise UserError(
            f"{reference} is paused: it rolls nothing out", remedy=f"kubectl rollout resume {reference}"
        )
    if context.variables.rollback.revision:
        return _named(context, known)
    now = current(present, known)
    annotations = present["metadata"].get("annotations") or {}
    if now is not None and annotations.get(ROLLED_BACK) == now.name:
        return now
    found = last_ready(present, known)
    if found is None:
        others = [item.number for item in known if item is not now]
        named = f", or name one of {_listed(others)}: --set rollback.revision=N" if others else ""
        raise UserError(
            f"there is nothing to go back to: no other revision of {reference} was ever ready",
            place=Place(str(reference)),
            remedy=f"mend the variables and run `inv deploy`{named}",
        )
    return found


def _named(context: Context, known: Sequence[Revision]) -> Revision:
    wanted = context.variables.rollback.revision
    for revision in known:
        if wanted == revision.number or wanted in revision.earlier:
            return revision
    raise UserError(
        f"{deployment(context)} has no revision {wanted}",
        place=Place("rollback.revision"),
        remedy=f"it has {_listed([item.number for item in known])}",
    )


def _require_parts(context: Context, target: Revision) -> None:
    """Refuse a revision whose Pods could not start: a claim or a Secret of it was deleted since."""
    namespace = deployment(context).namespace
    for kind, name in _parts(target.template["spec"]):
        reference = Reference("v1", kind, namespace, name)
        if live(context, reference) is None:
            raise UserError(
                f"revision {target.number} needs {reference}, which is not there any more",
                place=Place(f"replicaset/{target.name}"),
                remedy="name another revision: --set rollback.revision=N; or set its variables and run "
                "`inv deploy`",
            )


def _parts(pod: Object) -> Iterator[tuple[str, str]]:
    for volume in pod.get("volumes", ()):
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
    for container in pod["containers"]:
        for variable in container.get("env", ()):
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            if secret:
                yield "Secret", secret["name"]


def _change(context: Context, present: Object, target: Revision) -> Change:
    reference = Reference.to(present)
    metadata = present["metadata"]
    annotations = {**(metadata.get("annotations") or {}), ROLLED_BACK: target.name}
    future = {
        **present,
        "metadata": {**metadata, "annotations": annotations},
        "spec": {**present["spec"], "template": target.template},
    }
    return Change(
        differences(present, future),
        _undo_command(context, target.number),
        partial(_undo, context, reference, future),
        {
            object_key(reference): future,
            _revisions_key(context): _revisions(context, present),
            answering_key(context): UNKNOWN,
        },
        warning=_WARNING,
    )


def _undo(context: Context, reference: Reference, future: Object) -> None:
    operations = [
        {"op": "add", "path": "/metadata/annotations", "value": future["metadata"]["annotations"]},
        {"op": "replace", "path": "/spec/template", "value": future["spec"]["template"]},
    ]
    manager = f"{context.variables.kube.field_manager}-rollback"
    client(context).json_patch(reference, operations, field_manager=manager)


def _undo_command(context: Context, revision: int | None) -> list[str]:
    to = [] if revision is None else [f"--to-revision={revision}"]
    return _of(context, deployment(context), "undo", *to)


def _of(context: Context, reference: Reference, verb: str, *flags: str) -> list[str]:
    return kubectl(context, "rollout", verb, reference.short, *flags, f"--namespace={reference.namespace}")


def _wait(context: Context, target: Revision) -> Action:
    reference = deployment(context)

    def settle() -> None:
        _wait_for_room(context, reference, target)
        rollout.wait(context, reference)

    return Action(
        f"rollout of {reference}",
        settle,
        refreshes=[object_key(reference), _revisions_key(context)],
        command=_of(context, reference, "status"),
    )


def _wait_for_room(context: Context, reference: Reference, target: Revision) -> None:
    """Wait until the broken Pods are told to end: else their trouble would be taken for the new ones'."""
    kube, limit = client(context), context.variables.server.ready_timeout_s

    def look() -> bool | None:
        present = kube.get(reference)
        if present is None:
            raise FailedError(f"{reference} was deleted while it was awaited")
        labels = present["spec"]["selector"]["matchLabels"]
        pods = kube.list("v1", "Pod", reference.namespace, labels=labels)
        return None if any(_is_in_the_way(pod, target) for pod in pods) else True

    poll(
        context,
        look,
        limit_seconds=limit,
        late=lambda: f"Pods of {reference} that are not ready have not ended after {limit} s",
    )


def _is_in_the_way(pod: Object, target: Revision) -> bool:
    metadata = pod["metadata"]
    if "deletionTimestamp" in metadata or is_ready(pod):
        return False
    return bool(metadata.get("labels", {}).get(HASH) != target.hash)


def _compared(arguments: Arguments, context: Context) -> StepResult:
    """Tell what the next deploy would change; a trouble of that does not make the rollback fail."""

    def tell() -> None:
        try:
            found = _next_deploy(arguments, context)
        except RunbookError as error:
            context.report.warning(f"what the next `inv deploy` would change is not known: {error.message}")
            return
        context.report.output(_told(found))

    if context.check:
        tell()
    else:
        yield Action("compare with the variables", tell)
    return ""


def _next_deploy(arguments: Arguments, context: Context) -> list[Difference]:
    reference = deployment(context)
    objects = manifest(context, arguments.template).objects
    wanted = next(item for item in objects if Reference.to(item) == reference)
    manager = context.variables.kube.field_manager
    future = client(context).apply(wanted, field_manager=manager, force=True, dry_run=True)
    present = live(context, reference)
    found = differences(present, future) if present is not None else []
    return [item for item in found if not item.path.startswith(f"{reference}.metadata.annotations")]


def _told(found: Sequence[Difference]) -> str:
    if not found:
        return "the variables say the same: the next `inv deploy` changes nothing of this"
    lines = [f"  {item.path}: {_value(item.before)} -> {_value(item.after)}" for item in found]
    return "\n".join(["the next `inv deploy` applies the variables again:", *lines])


def _value(value: Any) -> str:
    return "absent" if value is None else value if isinstance(value, str) else json.dumps(value)


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)
