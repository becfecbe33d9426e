"""The server runs the last revision that was ready, whatever was deployed after it.

Beyond the guide, and for the hour after a deploy that went wrong: as `kubectl rollout undo` does, the
template of an earlier ReplicaSet becomes the Deployment's again. The way there is that of each rollout: with
maxSurge 0 the Pod that is there makes room first. The variables stay as they are, so the next `inv deploy`
applies them again; what that would change is told.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pydantic import Field

from runbook.clients.kube.objects import Object, Reference, is_terminating
from runbook.clients.kube.service import is_ready
from runbook.engine.change import UNKNOWN, Action, Change, StepResult
from runbook.engine.errors import FailedError
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.kube import rollout
from runbook.steps.kube.cluster import client, kubectl, live, object_key
from runbook.steps.kube.difference import differences
from runbook.steps.kube.drafts import validate_template
from runbook.steps.kube.next_deploy import tell_next_deploy
from runbook.steps.kube.placement import has_ended
from runbook.steps.kube.polling import poll
from runbook.steps.kube.revisions import HASH, Revision
from runbook.steps.kube.rollback_target import (
    ROLLED_BACK,
    find_target,
    known_revisions,
    require_parts,
    revisions_key,
)
from runbook.steps.kube.server import answering_key, deployment, require_deployment

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
    target = find_target(context, present)
    goes_back = present["spec"]["template"] != target.template
    if goes_back:
        require_parts(context, target)
        yield _change(context, present, target)
    present = live(context, deployment(context)) or present
    if not rollout.progress(present).done:
        yield _wait(context, target)
        present = live(context, deployment(context)) or present
    yield from _compared(arguments, context)
    now = rollout.progress(present)
    if context.check and (goes_back or not now.done):
        return f"revision {target.number} ({target.image}): its Pods would be waited for"
    state = "serves" if rollout.available(present) else "is in place"
    return f"revision {target.number} ({target.image}) {state}; {now.text}"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to go back by hand."""
    reference = deployment(context)
    wanted = context.variables.rollback.revision
    return Manual(
        commands=[_undo_command(context, wanted or None), _of(context, reference, "status")],
        check=[_of(context, reference, "history")],
        note="kubectl goes back to the revision before, ready or not; the step to the last that was ready. "
        "`inv deploy` applies the variables again, which takes it back.",
    )


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
            revisions_key(context): known_revisions(context, present),
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
        refreshes=[object_key(reference), revisions_key(context)],
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
    # a ReplicaSet leaves Pods that were evicted, or that a kubelet did not take, for ever
    if is_terminating(pod) or has_ended(pod) or is_ready(pod):
        return False
    return bool(metadata.get("labels", {}).get(HASH) != target.hash)


def _compared(arguments: Arguments, context: Context) -> StepResult:
    """Tell what the next deploy would change."""
    tell = partial(tell_next_deploy, context, arguments.template)
    if context.check:
        tell()
    else:
        yield Action("compare with the variables", tell)
    return ""
