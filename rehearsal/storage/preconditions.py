"""ifGenerationMatch and its kin: what must hold of the live object or bucket before it is touched."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.documents import Document
from rehearsal.storage.errors import StorageError, condition_not_met

PARAMETERS = (
    "ifGenerationMatch",
    "ifGenerationNotMatch",
    "ifMetagenerationMatch",
    "ifMetagenerationNotMatch",
)


def check(row: Document | None, query: Mapping[str, str], *, reading: bool = False) -> None:
    """Hold a request's conditions against what is there now; nothing there is generation 0.

    Args:
        row: the live object or bucket.
        query: the query parameters, or anything else that holds conditions by those names.
        reading: whether "not match" is answered 304 (a read) or 412 (a write).
    Raises:
        StorageError: 412, or 304.
    """
    for parameter in PARAMETERS:
        if parameter in query:
            counter = "metageneration" if "Meta" in parameter else "generation"
            _compare(parameter, str(query[parameter]), str((row or {}).get(counter, "0")), reading)


def _compare(parameter: str, wanted: str, found: str, reading: bool) -> None:
    if "NotMatch" not in parameter:
        if wanted != found:
            raise condition_not_met()
    elif wanted == found:
        raise (
            StorageError(304, "notModified", "Not Modified")
            if reading
            else condition_not_met("If-None-Match")
        )
