"""What several steps want to know of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from runbook.engine.errors import MissingError
from runbook.steps.context import Context
from runbook.steps.model.comparison import COMMIT, DIGEST
from runbook.steps.model.manifest import FINGERPRINT, NAME, Entry, Manifest
from runbook.steps.storage.reads import objects, objects_key

if TYPE_CHECKING:
    from runbook.clients.hub import HubModel
    from runbook.clients.storage import StoredObject
    from runbook.transfer.files import HubFile

VOCABULARY: Final = "o200k_base.tiktoken"
VOCABULARY_SOURCE: Final = f"https://openaipublic.blob.core.windows.net/encodings/{VOCABULARY}"
"""Where openai_harmony would fetch it from (vLLM #22525)."""


def hub_model(context: Context) -> HubModel:
    """Read from the hub which commit and which files the model has, once for all steps."""
    checkpoint = context.variables.checkpoint
    return context.facts.read(
        ("hub", checkpoint.repository, checkpoint.revision),
        lambda: context.connections.hub.model(checkpoint.repository, checkpoint.revision),
    )


def wanted_files(context: Context, model: HubModel) -> list[HubFile]:
    """Choose the files that match `include` and not `exclude`, as `hf download` does."""
    checkpoint = context.variables.checkpoint
    return [
        file
        for file in model.files
        if _matches(file.path, checkpoint.include) and not _matches(file.path, checkpoint.exclude)
    ]


def require_complete_model(context: Context) -> str:
    """Tell the fingerprint of the model in the bucket, which must be complete.

    Raises:
        MissingError: the bucket is not there, or the manifest, which is written last, is not there or does
            not list the objects that are.
    """
    folder = context.variables.checkpoint.folder
    held = {one.name.removeprefix(f"{folder}/"): one for one in objects(context)}
    address = f"gs://{context.variables.bucket.name}/{folder}/"
    if NAME not in held:
        raise MissingError(f"the model in {address} is not complete", supplied_by="model.upload")
    fingerprint = held[NAME].metadata.get(FINGERPRINT, "")
    if not context.facts.planned_by(objects_key(context)) and fingerprint != _listed(context, held):
        raise MissingError(
            f"the model in {address} is not what its manifest lists", supplied_by="model.upload"
        )
    return fingerprint


def _listed(context: Context, held: Mapping[str, StoredObject]) -> str:
    """Give the fingerprint that the manifest of the objects as they are would have."""
    entries = [
        Entry(path, one.size, one.metadata[DIGEST], one.crc32c)
        for path, one in held.items()
        if DIGEST in one.metadata
    ]
    commit = held[NAME].metadata.get(COMMIT, "")
    return Manifest(context.variables.checkpoint.repository, commit, entries).fingerprint


def require_vocabulary(context: Context) -> None:
    """Look that the vocabulary is where `server.vocabulary` says: without it chat, or the start, fails.

    Raises:
        MissingError: it is not there.
    """
    variables = context.variables
    if not variables.server.vocabulary or context.facts.planned_by(objects_key(context)):
        return
    name = f"{variables.checkpoint.folder}/{variables.server.vocabulary}/{VOCABULARY}"
    if any(held.name == name for held in objects(context)):
        return
    address = f"gs://{variables.bucket.name}/{name}"
    raise MissingError(
        f"{address} is not there, and server.vocabulary points at it",
        supplied_by="model.upload",
        remedy=f"curl -fsS {VOCABULARY_SOURCE} | gcloud storage cp - {address}",
    )


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)
