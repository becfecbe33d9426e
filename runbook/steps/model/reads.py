"""What several steps want to know of the model."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from runbook.engine.errors import MissingError
from runbook.steps.context import Context
from runbook.steps.model.manifest import FINGERPRINT, NAME
from runbook.steps.storage.reads import objects, objects_key

if TYPE_CHECKING:
    from runbook.clients.hub import HubFile, HubModel

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
        MissingError: the bucket, or the manifest that is written last, is not there.
    """
    folder = context.variables.checkpoint.folder
    for held in objects(context):
        if held.name == f"{folder}/{NAME}":
            return held.metadata.get(FINGERPRINT, "")
    raise MissingError(
        f"the model in gs://{context.variables.bucket.name}/{folder}/ is not complete",
        supplied_by="model.upload",
    )


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
