"""The model is in the bucket, complete and byte for byte what the hub lists.

Section 3.2.3 of the guide. Files stream from hub to bucket, several at once, without a local disk; each
becomes an object only when its hash is right. Traps closed: the files land in the bucket and not in a
cache (D13), and the repository's two further copies of the weights are left out (D14).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from runbook.engine.bill import Bill
from runbook.engine.change import Change, FactKey, StepResult
from runbook.engine.errors import MissingError, Place, VariableError
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke import reads
from runbook.steps.model.comparison import COMMIT, Comparison, compare
from runbook.steps.model.deep import read_back
from runbook.steps.model.manifest import FINGERPRINT, NAME
from runbook.steps.model.moving import metadata_of, move
from runbook.steps.model.reads import hub_model, wanted_files
from runbook.steps.model.sizes import bytes_text
from runbook.steps.storage.bills import bucket_bill
from runbook.steps.storage.reads import objects, objects_key

if TYPE_CHECKING:
    from runbook.clients.hub import HubModel
    from runbook.clients.storage import StoredObject
    from runbook.transfer.files import HubFile


class Arguments(StepArguments):
    """Nothing to choose; all is in the variables `checkpoint.*` and `transfer.*`."""


def validate(arguments: Arguments, context: Context) -> None:  # noqa: ARG001 - every step takes its arguments
    """Where Pods are to move the model, render their Job before the line begins."""
    if context.variables.transfer.where == "cluster":
        from runbook.steps.model import in_cluster  # the cluster's client takes long to import

        in_cluster.validate(context)


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Move what is missing or different.

    Raises:
        MissingError: the bucket is not there, or the cluster whose Pods are to move the files.
        FailedError: bytes arrived that are not what the hub lists.
        VariableError: no file of the repository is wanted.
    """
    model = hub_model(context)
    wanted = wanted_files(context, model)
    if not wanted:
        raise VariableError(
            f"no file of {model.repository} matches", place=Place("checkpoint.include, checkpoint.exclude")
        )
    folder = context.variables.checkpoint.folder
    held = {one.name.removeprefix(f"{folder}/"): one for one in objects(context)}
    read = read_back(context, wanted, held)
    comparison = compare(_address(context), model, wanted, held, read, lambda: _manifest(context))
    if comparison.differences:
        _require_cluster(context)
        yield _change(context, model, comparison, held)
        moving = bytes_text(sum(file.size for file in comparison.files))
        return f"{len(comparison.files)} files, {moving}; {_left_out(model, wanted)}"
    total = bytes_text(sum(file.size for file in wanted))
    how = ", every byte read back" if read else ""
    return f"{len(wanted)} files ({total}) at {model.commit[:12]}{how}; {_left_out(model, wanted)}"


def bills(arguments: Arguments, context: Context) -> Sequence[Bill]:  # noqa: ARG001 - every step takes its arguments
    """Name the bucket with the model in it."""
    try:
        held = objects(context)
    except MissingError:
        return ()
    return [bucket_bill(context, len(held), sum(one.size for one in held))]


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to move the model by hand: download beside, then copy all but the download's own notes."""
    address = f"{_address(context)}/"
    return Manual(
        commands=[_download(context, context.variables.checkpoint.revision), _copy(context)],
        check=[["gcloud", "storage", "ls", "-l", address]],
        undo=[["gcloud", "storage", "rm", "--recursive", address]],
        note="By hand it needs as much local disk as the model has bytes; the step streams. The step knows "
        "its own objects by the hub's hash, which it keeps with each; what was copied by hand it moves anew.",
    )


def _require_cluster(context: Context) -> None:
    """Stop where Pods are to move the model, and there is no cluster."""
    if context.variables.transfer.where == "cluster" and context.variables.provider != "kubeconfig":
        reads.require_cluster(context)


def _change(
    context: Context, model: HubModel, comparison: Comparison, held: Mapping[str, StoredObject]
) -> Change:
    return Change(
        differences=comparison.differences,
        command=["sh", "-c", " && ".join(shlex.join(part) for part in _commands(context, model, comparison))],
        apply=lambda: move(context, model, comparison, held),
        planned={objects_key(context): _predicted(context, model, comparison)},
        loss=_loss(context, comparison),
    )


def _loss(context: Context, comparison: Comparison) -> str | None:
    """Say what of others is overwritten, and what is deleted; None where nothing is lost."""
    losses = [
        ("not written by the runbook, and overwritten", comparison.foreign),
        ("deleted, being no file of the model any more", comparison.leftover),
    ]
    told = [f"{', '.join(paths)}: {what}" for what, paths in losses if paths]
    return f"in {_address(context)}/: {'; '.join(told)}" if told else None


def _commands(context: Context, model: HubModel, comparison: Comparison) -> Iterator[list[str]]:
    only = [file.path for file in comparison.files] if comparison.kept else []
    if comparison.files or not comparison.leftover:
        yield _download(context, model.commit, only)
        yield _copy(context)
    if comparison.leftover:
        addresses = [f"{_address(context)}/{path}" for path in comparison.leftover]
        yield ["gcloud", "storage", "rm", *addresses]


def _predicted(context: Context, model: HubModel, comparison: Comparison) -> Sequence[StoredObject]:
    """Tell what the folder will hold, as far as it can be known before."""
    from runbook.clients.storage import StoredObject

    folder = context.variables.checkpoint.folder
    moved = [
        StoredObject(f"{folder}/{file.path}", file.size, "", 0, metadata_of(model, file))
        for file in comparison.files
    ]
    manifest = StoredObject(f"{folder}/{NAME}", 0, "", 0, {FINGERPRINT: "", COMMIT: model.commit})
    leftover = {f"{folder}/{path}" for path in comparison.leftover}
    replaced = {one.name for one in moved} | leftover | {manifest.name}
    return [*(one for one in objects(context) if one.name not in replaced), *moved, manifest]


def _manifest(context: Context) -> bytes:
    key: FactKey = (*objects_key(context), NAME)
    name = f"{context.variables.checkpoint.folder}/{NAME}"
    return context.facts.read(
        key, lambda: context.connections.storage.read(context.variables.bucket.name, name)
    )


def _left_out(model: HubModel, wanted: Sequence[HubFile]) -> str:
    chosen = {file.path for file in wanted}
    rest = [file for file in model.files if file.path not in chosen]
    if not rest:
        return "nothing left out"
    folders = sorted({file.path.partition("/")[0] + ("/" if "/" in file.path else "") for file in rest})
    return f"{len(rest)} left out ({bytes_text(sum(file.size for file in rest))}): {', '.join(folders)}"


def _download(context: Context, revision: str, only: Sequence[str] = ()) -> list[str]:
    """Write the download.

    Args:
        revision: of the repository.
        only: the files; none means all that are wanted.
    """
    checkpoint = context.variables.checkpoint
    include = [part for pattern in checkpoint.include for part in ("--include", pattern)]
    exclude = [part for pattern in checkpoint.exclude for part in ("--exclude", pattern)]
    chosen = list(only) or [*include, *exclude]
    folder = checkpoint.folder
    return ["hf", "download", checkpoint.repository, *chosen, "--revision", revision, "--local-dir", folder]


def _copy(context: Context) -> list[str]:
    rsync = ("gcloud", "storage", "rsync", "--recursive", r"--exclude=^\.cache/")
    return [*rsync, context.variables.checkpoint.folder, _address(context)]


def _address(context: Context) -> str:
    return f"gs://{context.variables.bucket.name}/{context.variables.checkpoint.folder}"
