"""The bucket is there, near the TPUs, and IAM alone decides who reads it; or, with state absent, is gone.

Section 3.1 of the guide. Trap closed: location, uniform access and no public access are chosen (D11).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runbook.clients.storage import Bucket
from runbook.clients.storage_requests import (
    StorageRequest,
    create_bucket,
    delete_bucket,
    use_uniform_access,
)
from runbook.engine.change import Change, Difference, StepResult
from runbook.engine.errors import ConflictError, Place, RefusedError
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.model.sizes import bytes_text
from runbook.steps.storage.reads import bucket, bucket_key, folders_key, members_key, objects_key


class Arguments(StepArguments):
    """What the bucket should be; all else is in the variables `bucket.*`."""

    state: Literal["present", "absent"] = Field("present", description="whether it should be there")


def run(arguments: Arguments, context: Context) -> StepResult:
    """Create the bucket, or delete it with everything in it.

    Raises:
        ConflictError: the bucket is there, in another place.
        RefusedError: somebody else has a bucket of this name, or it may not be deleted.
    """
    found = bucket(context)
    if arguments.state == "absent":
        return (yield from _absent(context, found))
    if found is None:
        yield _create(context)
        return "new"
    _require_location(context, found)
    if not found.uniform_access:
        yield _use_uniform_access(context, found)
        return "IAM alone decides"
    return f"gs://{found.name} is in {found.location}, uniform access"


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to create, or delete, the bucket by hand."""
    wanted = _wanted(context)
    if arguments.state == "absent":
        listed = ["gcloud", "storage", "buckets", "list", f"--project={context.variables.project}"]
        return Manual(
            commands=[delete_bucket(wanted.name).argv],
            check=[[*listed, f"--filter=name={wanted.name}", "--format=value(name)"]],
            note="The model, and all else that is in the bucket, is lost for good.",
        )
    shown = "--format=yaml(location,uniform_bucket_level_access,public_access_prevention)"
    return Manual(
        commands=[_request(context).argv],
        check=[["gcloud", "storage", "buckets", "describe", f"gs://{wanted.name}", shown]],
        undo=[delete_bucket(wanted.name).argv],
        note="Undoing it deletes everything in the bucket.",
    )


def _create(context: Context) -> Change:
    wanted, request = _wanted(context), _request(context)
    folders = ", real folders" if wanted.hierarchical_namespace else ""
    summary = f"in {wanted.location or 'US'}, uniform access, not public{folders}"
    return Change(
        differences=[Difference(f"gs://{wanted.name}", None, summary)],
        command=request.argv,
        apply=lambda: context.connections.storage.send(request),
        planned={
            bucket_key(context): wanted,
            objects_key(context): (),
            folders_key(context): (),
            members_key(context): frozenset(),
        },
    )


def _wanted(context: Context) -> Bucket:
    return Bucket(
        name=context.variables.bucket.name,
        location=context.variables.bucket.location.lower(),
        uniform_access=True,
        public_access_prevention="enforced",
        hierarchical_namespace=context.variables.bucket.hierarchical_namespace,
    )


def _request(context: Context) -> StorageRequest:
    wanted = context.variables.bucket
    return create_bucket(
        wanted.name,
        context.variables.project,
        location=wanted.location.lower(),
        hierarchical_namespace=wanted.hierarchical_namespace,
    )


def _use_uniform_access(context: Context, found: Bucket) -> Change:
    request = use_uniform_access(found.name)
    return Change(
        differences=[Difference(f"gs://{found.name} uniform bucket-level access", False, True)],
        command=request.argv,
        apply=lambda: context.connections.storage.send(request),
        planned={
            bucket_key(context): Bucket(
                found.name, found.location, True, found.public_access_prevention, found.hierarchical_namespace
            )
        },
        warning="access control lists of single objects no longer count",
    )


def _require_location(context: Context, found: Bucket) -> None:
    wanted = context.variables.bucket.location.lower()
    if wanted and found.location != wanted:
        raise ConflictError(
            f"bucket {found.name} is in {found.location}, not in {wanted}",
            place=Place("bucket.location"),
            remedy=f"a bucket cannot move: set bucket.location to {found.location}, or another bucket.name",
        )


def _absent(context: Context, found: Bucket | None) -> StepResult:
    if found is None:
        return "not there"
    if context.variables.teardown.bucket != found.name:
        raise RefusedError(
            f"bucket {found.name} is deleted only when teardown.bucket names it",
            place=Place("teardown.bucket"),
            remedy=f"--set teardown.bucket={found.name}",
        )
    held = context.connections.storage.objects(found.name)
    amount = f"{len(held)} objects ({bytes_text(sum(one.size for one in held))})"
    yield Change(
        differences=[Difference(f"gs://{found.name}", amount, None)],
        command=delete_bucket(found.name).argv,
        apply=lambda: context.connections.storage.delete(found.name),
        planned={bucket_key(context): None},
        loss=f"bucket {found.name} with {amount}",
    )
    return "gone"
