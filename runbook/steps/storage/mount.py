"""The bucket can be used as a file system from here.

Section 3.2.1 of the guide. The mount is gcsfs, a file system in this process: no kernel module, no local
disk. It is opened for the first write; until then the shared listing shows that the bucket can be read.
"""

from __future__ import annotations

from runbook.engine.change import StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.storage.reads import objects


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """List the bucket.

    Raises:
        MissingError: the bucket is not there.
        CredentialsError: this login may not list it.
    """
    yield from ()  # a step is a generator, also one that changes nothing
    held = objects(context)
    variables = context.variables
    return (
        f"gs://{variables.bucket.name} can be listed: {len(held)} objects in {variables.checkpoint.folder}/"
    )


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to look, by hand, whether the bucket can be read."""
    return Manual(
        check=[["gcloud", "storage", "ls", f"gs://{context.variables.bucket.name}"]],
        note="There is nothing to type, or to undo: the mount is in the runbook's own process. The commands "
        "of 3.2.2 and 3.2.3 need no mount either.",
    )
