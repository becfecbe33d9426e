"""What the model's folder holds, as one short hash (trap D18).

Pods keep what they once listed of the bucket: where its content changes they must be started anew.
"""

from __future__ import annotations

import hashlib
import json

from runbook.engine.errors import UnknownUntil
from runbook.steps.context import Context
from runbook.steps.model.comparison import DIGEST
from runbook.steps.model.manifest import NAME
from runbook.steps.storage.reads import objects


def content_hash(context: Context) -> str:
    """Hash the names, sizes and digests of the model's files.

    In a line that only checks, with content that cannot be known before an earlier step, it says so instead.

    Raises:
        MissingError: the bucket is not there.
    """
    try:
        found = objects(context)
    except UnknownUntil as unknown:
        return f"known after {unknown.step}"
    files = [
        (item.name, item.size, item.metadata.get(DIGEST) or item.crc32c)
        for item in found
        if not item.name.endswith((f"/{NAME}", "/")) and not _is_compiled(context, item.name)
    ]
    return hashlib.sha256(json.dumps(sorted(files)).encode()).hexdigest()[:12]


def _is_compiled(context: Context, name: str) -> bool:
    """Tell whether the server itself wrote an object, so that it is no reason to start anew."""
    variables = context.variables
    cache = variables.server.compilation_cache
    return bool(cache) and name.startswith(f"{variables.checkpoint.folder}/{cache}/")
