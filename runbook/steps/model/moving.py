"""The model on its way into the bucket: first the files, last the manifest."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.steps.context import Context
from runbook.steps.model.comparison import COMMIT, DIGEST, Comparison
from runbook.steps.model.manifest import FINGERPRINT, NAME, Entry, Manifest

if TYPE_CHECKING:
    from runbook.clients.hub import HubModel
    from runbook.clients.mount import Mount
    from runbook.clients.storage import StoredObject
    from runbook.transfer.files import Consignment, HubFile


def move(context: Context, model: HubModel, comparison: Comparison, held: Mapping[str, StoredObject]) -> None:
    """Move what is missing or different, and have the folder say what it holds.

    Args:
        held: objects by their path inside the folder.

    Raises:
        RunbookError: hub or bucket refused, or bytes arrived that are not what the hub lists.
    """
    from runbook.clients.mount import Mount

    mount = Mount(context.connections.file_system, context.variables.bucket.name)
    checksums = _moved(context, mount, consignment(context, model, comparison, held))
    folder = context.variables.checkpoint.folder
    for path in comparison.leftover:
        mount.delete(f"{folder}/{path}", held[path].generation)
    moved = [Entry(file.path, file.size, file.digest, checksums[file.path]) for file in comparison.files]
    manifest = Manifest(model.repository, model.commit, [*comparison.kept.values(), *moved])
    mount.write(
        f"{folder}/{NAME}",
        manifest.text().encode(),
        {FINGERPRINT: manifest.fingerprint, COMMIT: manifest.commit},
        _generation(held.get(NAME)),
    )


def consignment(
    context: Context, model: HubModel, comparison: Comparison, held: Mapping[str, StoredObject]
) -> Consignment:
    """Write down what is to be moved."""
    from runbook.transfer.files import Consignment, Delivery

    variables = context.variables
    folder = variables.checkpoint.folder
    return Consignment(
        hub=context.connections.endpoints.hub,
        token=variables.hub.token.reveal() if variables.hub.token else None,
        repository=model.repository,
        commit=model.commit,
        bucket=variables.bucket.name,
        deliveries=[
            Delivery(
                file, f"{folder}/{file.path}", metadata_of(model, file), _generation(held.get(file.path))
            )
            for file in comparison.files
        ],
        files_at_once=variables.transfer.files_at_once,
        stall_s=variables.transfer.stall_s,
        together=NAME in held,
    )


def metadata_of(model: HubModel, file: HubFile) -> dict[str, str]:
    """Tell what is recorded with an object: the hub's hash of its bytes, and the commit."""
    return {DIGEST: file.digest, COMMIT: model.commit}


def journal_path(context: Context) -> Path:
    """Tell where it is kept how far each file is."""
    return context.home / ".runs" / context.environment / "transfer.jsonl"


def _moved(context: Context, mount: Mount, order: Consignment) -> Mapping[str, str]:
    """Move the files, through what `transfer.where` says; give base64 of their CRC32C by path."""
    match context.variables.transfer.where:
        case "cluster":
            from runbook.steps.model.in_cluster import move_in_cluster

            return move_in_cluster(context, order)
        case "ssh" if order.deliveries:
            from runbook.steps.model.over_ssh import moved_over_ssh

            return moved_over_ssh(context, mount, order)
        case _:
            return _moved_here(context, mount, order)


def _moved_here(context: Context, mount: Mount, order: Consignment) -> Mapping[str, str]:
    from runbook.transfer.all_files import move_all
    from runbook.transfer.journal import Journal
    from runbook.transfer.surroundings import Surroundings

    journal = Journal(journal_path(context), order.bucket, context.report.warning)
    around = Surroundings(order, mount, journal, context.report, threading.Event())
    try:
        return {path: made.crc32c for path, made in move_all(around, context.pause).items()}
    finally:
        journal.close()


def _generation(held: StoredObject | None) -> int:
    return held.generation if held else 0
