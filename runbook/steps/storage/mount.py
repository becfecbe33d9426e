"""The bucket can be used as a file system from here.

Section 3.2.1 of the guide. The mount is gcsfs, a file system in this process: no kernel module, no local
disk. It is opened for the first write; until then the shared listing shows that the bucket can be read.
"""

from __future__ import annotations

from runbook.engine.change import StepResult
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
