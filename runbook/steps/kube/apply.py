"""The manifest's objects are in the cluster as rendered, and the server answers.

Section 4.3 of the guide. Server-side apply under the name `kube.field_manager` owns only the manifest's
fields. An object that is as it was applied costs one read. A ServiceAccount that somebody else made stays
theirs. Objects on their way out are waited for; a volume and a claim that lost each other are mended (D33).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from functools import partial
from typing import Any

from pydantic import Field

from runbook.clients.kube.failures import FieldConflictError
from runbook.clients.kube.objects import Object, Reference, is_terminating
from runbook.engine.bill import Bill
from runbook.engine.change import UNKNOWN, Action, Change, Difference, FactKey, StepResult
from runbook.engine.errors import MissingError
from runbook.engine.manual import Manual
from runbook.engine.shell import SHELL, shell_text
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke import reads
from runbook.steps.gke.bills import cluster_bills
from runbook.steps.gke.versions import require_machines, require_mount
from runbook.steps.kube import exposure, ownership, removal, rollout, volume
from runbook.steps.kube.absent import deletions
from runbook.steps.kube.cluster import client, kubectl, live, object_key, shown
from runbook.steps.kube.difference import creation, differences
from runbook.steps.kube.drafts import drafted, validate_template
from runbook.steps.kube.ownership import is_applied, is_drift
from runbook.steps.kube.server import answering_key
from runbook.steps.kube.workload import (
    API_KEY_FIELD,
    api_key_name,
    api_key_secret,
    labels,
    manifest,
    manifest_path,
)
from runbook.steps.model.reads import require_complete_model, require_vocabulary


class Arguments(StepArguments):
    """What `with:` may say."""

    template: str = Field(description="file of manifests/, such as vllm-tpu.yaml.j2")


def validate(arguments: Arguments, context: Context) -> None:
    """Render the template before the line begins, so that a mistake in it costs nothing."""
    validate_template(context, arguments.template)


def run(arguments: Arguments, context: Context) -> StepResult:
    """Compare each object with the cluster's, apply what differs, wait for the rollout."""
    _require_nodes(context)
    require_complete_model(context)
    require_vocabulary(context)
    objects = list(_objects(arguments, context))
    yield from volume.freed(context, objects)
    for wanted in objects:
        yield from _applied(arguments, context, wanted)
    yield from volume.rebound(context, objects)
    rolled_out = yield from _rolled_out(context, objects)
    reached = yield from _reached(context, objects)
    return "; ".join([rolled_out, *reached])


def bills(arguments: Arguments, context: Context) -> Sequence[Bill]:  # noqa: ARG001 - every step takes its arguments
    """Name what costs money under the server, and the load balancer before it where it is exposed."""
    variables = context.variables
    if variables.server.expose == "none":
        return cluster_bills(context)
    balancer = f"load balancer of Service {variables.server.service}"
    return [*cluster_bills(context), Bill(balancer, variables.server.expose, variables.prices.load_balancer)]


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to apply the manifest, and to wait for the server, by hand."""
    objects = drafted(context, arguments.template).objects
    servers = [Reference.to(item) for item in objects if item["kind"] == "Deployment"]
    guarded = context.variables.server.api_key is not None
    path = shown(manifest_path(context, arguments.template))
    return Manual(
        commands=[
            _apply_command(arguments, context, force=context.variables.kube.force),
            *([_secret_command(context, force=context.variables.kube.force)] if guarded else []),
            *(_of(context, server, ["rollout", "status"]) for server in servers),
        ],
        check=[
            kubectl(context, "get", "-f", path),
            *(_of(context, server, ["logs"], "--tail=20") for server in servers),
        ],
        undo=deletions(context, [arguments.template]),
        note=_note(guarded=guarded),
    )


def _note(*, guarded: bool) -> str:
    note = "The file is that of 4.2. The rollout takes as long as the model takes to load."
    key = " The Secret's command reads the key from its input: pipe it in, without a newline."
    return note + key if guarded else note


def _require_nodes(context: Context) -> None:
    """Stop where no Pod of the server would start: no node for it, or a mount that the driver refuses."""
    variables = context.variables
    if variables.provider == "kubeconfig":
        return
    found = reads.require_cluster(context)
    require_mount(context, found)
    if reads.is_autopilot(found):
        require_machines(context, found)
    elif reads.node_pool(context, found) is None:
        raise MissingError(
            f"node pool {variables.node_pool.name} of cluster {variables.cluster.name} is not there",
            supplied_by="gke.node_pool",
        )


def _objects(arguments: Arguments, context: Context) -> Iterable[Object]:
    """Give what is to be applied: the Secret after its namespace, and before the Pods that want it."""
    objects = manifest(context, arguments.template).objects
    yield from (item for item in objects if item["kind"] == "Namespace")
    secret = api_key_secret(context)
    if secret is not None:
        yield secret
    yield from (item for item in objects if item["kind"] != "Namespace")


def _applied(arguments: Arguments, context: Context, wanted: Object) -> StepResult:
    reference = Reference.to(wanted)
    present = live(context, reference)
    if present is not None and is_terminating(present):
        yield Action(
            f"{reference} is being deleted",
            lambda: removal.wait_until_gone(context, [reference]),
            refreshes=[object_key(reference)],
        )
        present = live(context, reference)
        present = None if is_terminating(present) else present
    settings = context.variables.kube
    if present is not None:
        wanted = ownership.shared(wanted, present, labels(context))
    if present is None:
        yield _change(arguments, context, wanted, [creation(wanted)], wanted)
    elif not is_applied(present, wanted, settings.field_manager):
        future, taken_from = _dry_run(context, wanted, present)
        found = differences(present, future)
        if found:
            rollout.keep_mark(context, present)
            yield _change(arguments, context, wanted, found, future, taken_from)
    return ""


def _dry_run(context: Context, wanted: Object, present: Object) -> tuple[Object, str]:
    """Ask what an apply would make, and from whom it would take back what was edited by hand."""
    settings = context.variables.kube
    ask = partial(client(context).apply, wanted, field_manager=settings.field_manager, dry_run=True)
    try:
        return ask(force=settings.force), ""
    except FieldConflictError as conflict:
        if not is_drift(present, settings.field_manager, conflict.managers):
            raise
        return ask(force=True), ", ".join(sorted(conflict.managers))


def _change(
    arguments: Arguments,
    context: Context,
    wanted: Object,
    found: list[Difference],
    future: Object,
    taken_from: str = "",
) -> Change:
    settings = context.variables.kube
    force = settings.force or bool(taken_from)
    planned: dict[FactKey, Any] = {object_key(Reference.to(wanted)): future, answering_key(context): UNKNOWN}
    return Change(
        found,
        _command(arguments, context, wanted, force=force),
        lambda: client(context).apply(wanted, field_manager=settings.field_manager, force=force),
        planned,
        warning=f"{taken_from} changed this; it is taken back" if taken_from else None,
    )


def _command(arguments: Arguments, context: Context, wanted: Object, *, force: bool) -> list[str]:
    if wanted["kind"] == "Secret":
        return _secret_command(context, force=force)
    return _apply_command(arguments, context, force=force)


def _secret_command(context: Context, *, force: bool) -> list[str]:
    """Write the commands that make the Secret's object of their input, label it, and apply it."""
    name, source = api_key_name(context.variables), f"--from-file={API_KEY_FIELD}=/dev/stdin"
    namespace = f"--namespace={context.variables.kube.namespace}"
    said = [f"{label}={value}" for label, value in labels(context).items()]
    made = ["kubectl", "create", "secret", "generic", name, source, namespace, "--dry-run=client"]
    labelled = ["kubectl", "label", "--local", *said, "--filename=-", "--output=yaml"]
    steps = [[*made, "--output=yaml"], labelled, _applied_from(context, "-", force=force)]
    return [*SHELL, " |\n".join(shell_text(step) for step in steps)]


def _apply_command(arguments: Arguments, context: Context, *, force: bool) -> list[str]:
    return _applied_from(context, shown(manifest_path(context, arguments.template)), force=force)


def _applied_from(context: Context, source: str, *, force: bool) -> list[str]:
    manager = f"--field-manager={context.variables.kube.field_manager}"
    owner = [manager, *(["--force-conflicts"] if force else [])]
    return kubectl(context, "apply", "--server-side", *owner, "-f", source)


def _of(context: Context, reference: Reference, verb: Sequence[str], *flags: str) -> list[str]:
    return kubectl(context, *verb, reference.short, *flags, f"--namespace={reference.namespace}")


def _rolled_out(context: Context, objects: Sequence[Object]) -> Generator[Change | Action, None, str]:
    reasons = []
    for wanted in objects:
        if wanted["kind"] != "Deployment":
            continue
        reference = Reference.to(wanted)
        present = live(context, reference)
        if present is not None and not rollout.progress(present).done:
            yield Action(
                f"rollout of {reference}",
                partial(rollout.wait, context, reference),
                refreshes=[object_key(reference)],
                command=_of(context, reference, ["rollout", "status"]),
            )
            present = live(context, reference)
        now = rollout.progress(present or wanted)
        waits = context.check and not now.done
        reasons.append(f"{reference.name}: its Pods would be waited for" if waits else now.text)
    return "; ".join(reasons) or "applied"


def _reached(context: Context, objects: Sequence[Object]) -> Generator[Change | Action, None, list[str]]:
    """Wait for the addresses of Services that are exposed, and name them."""
    reasons = []
    for wanted in filter(exposure.is_exposed, objects):
        reference = Reference.to(wanted)
        if not exposure.address(live(context, reference) or wanted):
            yield Action(
                f"address of {reference}",
                partial(exposure.wait, context, reference),
                refreshes=[object_key(reference)],
                command=_of(context, reference, ["get"], "--watch"),
            )
        found = exposure.address(live(context, reference) or wanted)
        reasons.append(f"{reference}: {found or 'its address would be waited for'}")
    return reasons
