"""The checksums that a client promises, held against those of the bytes that came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.documents import Document
from rehearsal.storage.drafts import Content
from rehearsal.storage.errors import StorageError


def promised(attributes: Mapping[str, Any], headers: Mapping[str, str]) -> Document:
    """Collect crc32c and md5 (base64) from the object's metadata and from the headers."""
    found = {"crc32c": attributes.get("crc32c"), "md5": attributes.get("md5Hash")}
    found["md5"] = headers.get("Content-MD5", found["md5"])
    for part in headers.get("X-Goog-Hash", "").split(","):
        kind, _, value = part.strip().partition("=")
        if kind in found:
            found[kind] = value
    return {kind: value for kind, value in found.items() if value}


def compare(wanted: Mapping[str, str], content: Content) -> None:
    """Refuse content that is not what was promised.

    Raises:
        StorageError: 400, in the service's words.
    """
    for kind, label, calculated in (("crc32c", "CRC32C", content.crc32c), ("md5", "MD5 hash", content.md5)):
        if wanted.get(kind, calculated) != calculated:
            message = f'Provided {label} "{wanted[kind]}" doesn\'t match calculated {label} "{calculated}".'
            raise StorageError(400, "invalid", message)
