"""The deep verification: what lies in the bucket is read back and hashed, whatever its metadata say."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runbook.engine.change import FactKey
from runbook.steps.context import Context
from runbook.steps.storage.reads import objects_key

if TYPE_CHECKING:
    from runbook.clients.storage import StoredObject
    from runbook.transfer.files import HubFile


def read_back(
    context: Context, wanted: Sequence[HubFile], held: Mapping[str, StoredObject]
) -> Mapping[str, str]:
    """Read every object that has its file's size; nothing where `transfer.verify` does not ask for it.

    Args:
        wanted: the files of the model.
        held: objects by their path inside the folder.

    Returns:
        the hashes of what was read, by path.
    """
    if context.variables.transfer.verify != "deep":
        return {}
    there = [file for file in wanted if file.path in held and held[file.path].size == file.size]
    generations = [str(held[file.path].generation) for file in there]
    key: FactKey = (*objects_key(context), "read back", *generations)
    return context.facts.read(key, lambda: _digests(context, there))


def _digests(context: Context, files: Sequence[HubFile]) -> Mapping[str, str]:
    from runbook.transfer.reading_back import Shelf, digests

    variables = context.variables
    shelf = Shelf(
        storage=context.connections.endpoints.storage,
        bucket=variables.bucket.name,
        authorize=lambda: context.connections.headers,
        stall_s=variables.transfer.stall_s,
        watcher=context.report,
        stop=threading.Event(),
    )
    folder = variables.checkpoint.folder
    named = [(f"{folder}/{file.path}", file) for file in files]
    return digests(shelf, named, variables.transfer.files_at_once, context.pause)
