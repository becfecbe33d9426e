"""Benchmarks that more than one machine knows of: their documents in the bucket (bench.history: bucket)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runbook.engine.errors import Place, RunbookError, UserError
from runbook.engine.kept import keep
from runbook.measurement.document import Document
from runbook.steps.context import Context

if TYPE_CHECKING:
    from runbook.clients.storage import Storage

FOLDER: Final = "benchmarks/"
_NAME: Final = re.compile(r"benchmarks/(?P<file>\w[\w-]*\.json)")


def share(context: Context, document: Document, path: Path) -> None:
    """Write a measurement into the bucket, where the variables ask for it.

    What keeps it from being shared is told, and fails nothing: an hour's measurement is kept here.

    Args:
        path: the file that the document is in.
    """
    from runbook.clients.mount import Mount

    if context.variables.bench.history != "bucket" or not document.verdict.ok:
        return
    bucket, name = context.variables.bucket.name, f"{FOLDER}{document.id}.json"
    try:
        held = context.connections.storage.objects(bucket, name)
        generation = held[0].generation if held else 0
        Mount(context.connections.file_system, bucket).write(name, path.read_bytes(), {}, generation)
    except RunbookError as error:
        context.report.warning(f"the result is not in the bucket, only in {path}: {error.message}")


def fetch(storage: Storage, bucket: str, folder: Path) -> None:
    """Read the documents of the bucket that are not here yet; a document never changes.

    Args:
        folder: that they are kept in.

    Raises:
        RunbookError: the bucket cannot be read, or the folder not be written.
    """
    for item in storage.objects(bucket, FOLDER):
        found = _NAME.fullmatch(item.name)
        if found and not (folder / found["file"]).exists():
            _keep(folder / found["file"], storage.read(bucket, item.name))


def _keep(path: Path, content: bytes) -> None:
    try:
        keep(path, content)
    except OSError as cause:
        raise UserError(f"cannot be written: {cause.strerror}", place=Place.in_file(path)) from cause
