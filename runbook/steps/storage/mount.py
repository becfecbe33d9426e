"""The bucket can be used as a file system from here.

Section 3.2.1 of the guide. The mount is gcsfs, a file system in this process: no kernel module, no local
disk. It is opened for the first write; until then the shared listing shows that the bucket can be read.
Who needs a folder of the operating system names one with `bucket.posix_mount`: gcsfuse then mounts the
bucket there, where it is installed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from runbook.clients import gcsfuse
from runbook.engine.change import Change, Difference, StepResult
from runbook.engine.errors import ConflictError
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.storage.reads import objects


class Arguments(StepArguments):
    """What `with:` may say."""

    state: Literal["present", "absent"] = Field(
        default="present", description="absent: unmount what was mounted at bucket.posix_mount"
    )


def run(arguments: Arguments, context: Context) -> StepResult:
    """List the bucket; mount or unmount it where a folder is named.

    Raises:
        MissingError: the bucket is not there.
        CredentialsError: this login may not list it.
        RefusedError: gcsfuse is missing or too old, or the folder cannot be mounted at.
        ConflictError: another bucket is mounted there.
    """
    if arguments.state == "absent":
        return (yield from _unmounted(context))
    held = objects(context)
    variables = context.variables
    listed = (
        f"gs://{variables.bucket.name} can be listed: {len(held)} objects in {variables.checkpoint.folder}/"
    )
    if _folder(context) is None:
        return listed
    yield from _mounted(context)
    return f"{listed}; mounted at {variables.bucket.posix_mount}"


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to look, by hand, whether the bucket can be read; how to mount it, where a folder is named."""
    bucket, folder = context.variables.bucket.name, _folder(context)
    check = [["gcloud", "storage", "ls", f"gs://{bucket}"]]
    if folder is None:
        return Manual(
            check=check,
            note="There is nothing to type, or to undo: the mount is in the runbook's own process. The "
            "commands of 3.2.2 and 3.2.3 need no mount either.",
        )
    mount, unmount = gcsfuse.mount_command(bucket, folder), gcsfuse.unmount_command(folder)
    if arguments.state == "absent":
        return Manual(commands=[unmount])
    return Manual(commands=[mount], check=check, undo=[unmount])


def _mounted(context: Context) -> StepResult:
    bucket, folder = context.variables.bucket.name, _folder(context)
    assert folder is not None  # noqa: S101 - asked for by the caller
    found = gcsfuse.mounted(folder)
    if found == bucket:
        return "mounted"
    if found is not None:
        raise ConflictError(
            f"bucket {found} is mounted at {folder}", remedy=f"unmount it: fusermount -u {folder}"
        )
    gcsfuse.require_gcsfuse()
    gcsfuse.require_folder(folder)
    command = gcsfuse.mount_command(bucket, folder)
    yield Change([Difference(str(folder), None, f"gs://{bucket}")], command, partial(gcsfuse.run, command))
    return "mounted"


def _unmounted(context: Context) -> StepResult:
    folder = _folder(context)
    found = gcsfuse.mounted(folder) if folder else None
    if folder is None or found is None:
        return "nothing is mounted"
    command = gcsfuse.unmount_command(folder)
    yield Change([Difference(str(folder), f"gs://{found}", None)], command, partial(gcsfuse.run, command))
    return "unmounted"


def _folder(context: Context) -> Path | None:
    named = context.variables.bucket.posix_mount
    return Path(named).expanduser().absolute() if named else None
