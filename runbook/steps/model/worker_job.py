"""The Job whose Pods move the model: its objects, the one that runs already, its begin and its end.

The Job is made suspended, its ConfigMaps and its Secret then as its own, and it is let go last: whatever ends
it, time too, takes all of them, and Pods never wait for what was not made.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import ConflictError, Place
from runbook.steps.bench.jobs import ended
from runbook.steps.context import Context
from runbook.steps.kube import removal
from runbook.steps.kube.cluster import client, kubectl
from runbook.steps.kube.templates import parse, render
from runbook.steps.kube.workload import COMPONENT, labels, template_values
from runbook.transfer.archive import archive
from runbook.transfer.files import Consignment

TEMPLATE: Final = "model-transfer.yaml.j2"
TOKEN_FIELD: Final = "token"  # noqa: S105 - a key's name
_OF_THE_JOB: Final = frozenset({"ConfigMap", "Secret"})


def job(context: Context, order: Consignment) -> Reference:
    """Name the Job; a hash of what it is for, and not of what is left of it, is in the name.

    So the same line, after anything, finds the Job that it began, though some files have arrived since.
    """
    checkpoint, kube = context.variables.checkpoint, context.variables.kube
    what = [order.hub, order.repository, order.commit, [*checkpoint.include], [*checkpoint.exclude]]
    where = [order.bucket, checkpoint.folder, kube.service_account, context.variables.transfer.image]
    digest = hashlib.sha256(json.dumps([what, where]).encode()).hexdigest()
    return Reference("batch/v1", "Job", kube.namespace, f"model-transfer-{digest[:10]}")


def objects(context: Context, name: str, orders: Sequence[str], *, secret: str = "") -> list[Object]:
    """Render the template.

    Args:
        name: of the Job.
        orders: one document for each worker.
        secret: name of the Secret that has the hub's token; empty: there is none.

    Raises:
        ManifestError: the template, or what it renders to, is wrong.
    """
    path = context.root / "manifests" / TEMPLATE
    values = template_values(
        TEMPLATE,
        context.variables,
        context.tree,
        environment=context.environment,
        run_id=context.run_id,
        content="",
    )
    own = {
        "name": name,
        "program": base64.b64encode(archive()).decode("ascii"),
        "orders": orders,
        "secret": secret,
        "crc32c_version": version("google-crc32c"),
    }
    return parse(render(path, {**values, "transfer_job": own}), path)


def running(context: Context, reference: Reference) -> bool:
    """Tell whether the Job runs; what is left of an earlier one is deleted.

    Raises:
        ConflictError: one runs that moves something else.
    """
    found = client(context).list("batch/v1", "Job", reference.namespace, labels=_labels(context))
    for one in found:
        if ended(one) or one["spec"].get("suspend") or "deletionTimestamp" in one["metadata"]:
            remove(context, Reference.to(one))
        elif one["metadata"]["name"] != reference.name:
            raise _other(context, Reference.to(one))
        else:
            return True
    return False


def begin(context: Context, reference: Reference, orders: Sequence[str], token: str | None) -> None:
    """Make the Job, and let it go.

    Args:
        orders: one document for each worker.
        token: of the hub; None: none is needed.
    """
    name = f"{reference.name}-hub" if token else ""
    rendered = objects(context, reference.name, orders, secret=name)
    for found in rendered:
        if found["kind"] not in {"Job", *_OF_THE_JOB} and client(context).get(Reference.to(found)) is None:
            _apply(context, found)
    wanted = next(found for found in rendered if found["kind"] == "Job")
    made = _apply(context, {**wanted, "spec": {**wanted["spec"], "suspend": True}})
    own = [found for found in rendered if found["kind"] in _OF_THE_JOB]
    if token:
        own.append(_secret(context, reference, name, token))
    for found in own:
        _apply(context, {**found, "metadata": {**found["metadata"], "ownerReferences": [_owner(made)]}})
    _apply(context, {**wanted, "spec": {**wanted["spec"], "suspend": False}})


def remove(context: Context, reference: Reference) -> None:
    """Delete the Job with all that is its own, and wait until it is gone."""
    client(context).delete(reference, propagation="Foreground")
    removal.wait_until_gone(context, [reference])


def deletion(context: Context, reference: Reference) -> str:
    """Write the command that deletes the Job."""
    return " ".join(kubectl(context, "delete", reference.short, f"--namespace={reference.namespace}"))


def _labels(context: Context) -> dict[str, str]:
    return {**labels(context), COMPONENT: "transfer"}


def _secret(context: Context, reference: Reference, name: str, token: str) -> Object:
    """Make the Secret of the hub's token; it is applied, and never written to a file."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": reference.namespace, "labels": _labels(context)},
        "type": "Opaque",
        "data": {TOKEN_FIELD: base64.b64encode(token.encode()).decode("ascii")},
    }


def _owner(made: Object) -> dict[str, Any]:
    metadata = made["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "blockOwnerDeletion": True,
    }


def _apply(context: Context, wanted: Object) -> Object:
    settings = context.variables.kube
    return client(context).apply(wanted, field_manager=settings.field_manager, force=settings.force)


def _other(context: Context, found: Reference) -> ConflictError:
    return ConflictError(
        f"{found} is moving another model, another commit, or with other settings",
        place=Place(str(found)),
        remedy=f"wait for its end, or end it: {deletion(context, found)}",
    )
