"""The model's folder is there.

Section 3.2.2 of the guide. Only a bucket with a hierarchical namespace has folders of their own; in any other
a folder is the beginning of its objects' names, and comes with the first of them.
"""

from __future__ import annotations

from runbook.clients.storage_requests import create_folder, delete_folder
from runbook.engine.change import Change, Difference, StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.storage.reads import folders, folders_key, objects, require_bucket


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Make the folder where the bucket has real ones.

    Raises:
        MissingError: the bucket is not there.
    """
    found = require_bucket(context)
    folder = f"{context.variables.checkpoint.folder}/"
    address = f"gs://{found.name}/{folder}"
    if objects(context):
        return f"{address} holds {len(objects(context))} objects"
    if not found.hierarchical_namespace:
        return f"{address} comes with its first object"
    if folder in folders(context):
        return f"{address} is there"
    request = create_folder(found.name, folder)
    yield Change(
        differences=[Difference(address, None, "a folder")],
        command=request.argv,
        apply=lambda: context.connections.storage.send(request),
        planned={folders_key(context): [folder]},
    )
    return "new"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to make the folder by hand."""
    bucket, folder = context.variables.bucket.name, f"{context.variables.checkpoint.folder}/"
    address = f"gs://{bucket}/{folder}"
    if not context.variables.bucket.hierarchical_namespace:
        return Manual(
            check=[["gcloud", "storage", "ls", address]],
            note="Nothing is to be made, or undone: in this bucket a folder comes with its first object.",
        )
    return Manual(
        commands=[create_folder(bucket, folder).argv],
        check=[["gcloud", "storage", "folders", "describe", address]],
        undo=[delete_folder(bucket, folder).argv],
        note="Only an empty folder can be deleted.",
    )
