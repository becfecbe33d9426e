"""The manifest's objects are in the cluster as rendered, and the server answers.

Section 4.3 of the guide. Server-side apply under the name `kube.field_manager` owns only the manifest's
fields. An object that is as it was applied costs one read. A ServiceAccount that somebody else made stays
theirs. Objects on their way out are waited for; a volume and a claim that lost each other are mended (D33).
What cannot be changed is deleted and made anew, when that is confirmed. What an earlier run applied and the
variables no longer name is deleted (an ApplySet, `kubectl get configmap`), unless somebody else uses it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import partial

from pydantic import Field

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.bill import Bill
from runbook.engine.change import Action, Change, StepResult
from runbook.engine.errors import MissingError
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke import reads
from runbook.steps.gke.bills import cluster_bills
from runbook.steps.gke.versions import require_machines, require_mount
from runbook.steps.kube import exposure, membership, pruning, rollout, volume
from runbook.steps.kube.absent import deletions
from runbook.steps.kube.apply_commands import apply_command, command_of, secret_command
from runbook.steps.kube.apply_set import ApplySet
from runbook.steps.kube.applying import Applying
from runbook.steps.kube.bucket_access import require_access
from runbook.steps.kube.cluster import kubectl, live, object_key, shown
from runbook.steps.kube.drafts import drafted, validate_template
from runbook.steps.kube.workload import Manifest, api_key_secret, keep_applied, manifest, manifest_path
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
    manifested = manifest(context, arguments.template)
    require_access(context, manifested.objects)
    if not context.check:
        keep_applied(context, manifested)
    which = membership.apply_set(context, arguments.template)
    objects = list(_objects(context, manifested, which))
    left = pruning.leftovers(context, which, objects)
    names = membership.of_set(objects)
    asked = yield from membership.widened(context, which, [*names, *left.all], left.loss(context))
    yield from volume.freed(context, objects)
    exposed = filter(exposure.is_exposed, objects)
    old = {Reference.to(item): exposure.leaving(context, item) for item in exposed}
    applying = Applying(context, manifested, which)
    for wanted in objects:
        yield from applying.applied(wanted)
    yield from pruning.pruned(context, left.working, ask=not asked)
    yield from volume.rebound(context, objects)
    rolled_out = yield from _rolled_out(context, objects)
    yield from pruning.pruned(context, left.used, ask=False)
    yield from membership.narrowed(context, which, [*names, *left.staying])
    reached = yield from _reached(context, old)
    return "; ".join(filter(None, [rolled_out, left.text, *reached]))


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
    secret = api_key_secret(context, membership.apply_set(context, arguments.template).id)
    force = context.variables.kube.force
    path = shown(manifest_path(context, arguments.template))
    return Manual(
        commands=[
            apply_command(context, arguments.template, force=force),
            *([secret_command(context, secret, force=force)] if secret else []),
            *(command_of(context, server, ["rollout", "status"]) for server in servers),
        ],
        check=[
            kubectl(context, "get", "-f", path),
            *(command_of(context, server, ["logs"], "--tail=20") for server in servers),
        ],
        undo=deletions(context, [arguments.template]),
        note=_note(guarded=secret is not None),
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


def _objects(context: Context, manifested: Manifest, which: ApplySet) -> Iterable[Object]:
    """Give what is to be applied: the Secret after its namespace, and before the Pods that want it."""
    objects = manifested.objects
    yield from (item for item in objects if item["kind"] == "Namespace")
    secret = api_key_secret(context, which.id)
    if secret is not None:
        yield secret
    yield from (item for item in objects if item["kind"] != "Namespace")


def _rolled_out(context: Context, objects: Sequence[Object]) -> Generator[Change | Action, None, str]:
    reasons = []
    for wanted in objects:
        if wanted["kind"] != "Deployment":
            continue
        reference = Reference.to(wanted)
        present = live(context, reference)
        if present is not None and not rollout.progress(present).done:
            rollout.require_rolling(context, present)
            yield Action(
                f"rollout of {reference}",
                partial(rollout.wait, context, reference),
                refreshes=[object_key(reference)],
                command=command_of(context, reference, ["rollout", "status"]),
            )
            present = live(context, reference)
        now = rollout.progress(present or wanted)
        waits = context.check and not now.done
        reasons.append(f"{reference.name}: its Pods would be waited for" if waits else now.text)
    return "; ".join(reasons) or "applied"


def _reached(
    context: Context, services: Mapping[Reference, str]
) -> Generator[Change | Action, None, list[str]]:
    """Wait for the addresses of Services that are exposed, and name them.

    Args:
        services: each with the address that it should leave; empty where it has none.
    """
    reasons = []
    for reference, old in services.items():
        if old or not _address(context, reference):
            yield Action(
                f"address of {reference}",
                partial(exposure.wait, context, reference, old),
                refreshes=[object_key(reference)],
                command=command_of(context, reference, ["get"], "--watch"),
            )
        found = "" if old and context.check else _address(context, reference)
        kept = ", as before: no load balancer of the other kind was made" if found and found == old else ""
        reasons.append(f"{reference}: {found or 'its address would be waited for'}{kept}")
    return reasons


def _address(context: Context, service: Reference) -> str:
    found = live(context, service)
    return exposure.address(found) if found else ""
