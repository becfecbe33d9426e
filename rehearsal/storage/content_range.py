"""The Content-Range header of a resumable upload's requests."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rehearsal.storage.errors import UploadError

_CHUNK = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_QUERY = re.compile(r"bytes \*/(\d+|\*)")


@dataclass(frozen=True)
class ContentRange:
    """Which bytes a request brings.

    Args:
        first: offset of its first byte; None where it brings none (`bytes */N`: a question, or the end).
        length: how many bytes it brings; None where only the end of the stream will tell.
        total: the object's size; None while it is not known (`*`).
    """

    first: int | None
    length: int | None
    total: int | None

    @property
    def final(self) -> bool:
        """Whether the object is complete when all of this has come."""
        if self.first is None or self.length is None:
            return self.first is not None
        return self.total == self.first + self.length


def parse(header: str | None, content_length: int | None) -> ContentRange:
    """Read the header; without one the body is the whole object.

    Raises:
        UploadError: where it makes no sense, or the body is not as long as it says.
    """
    if header is None:
        return ContentRange(0, content_length, content_length)
    if query := _QUERY.fullmatch(header):
        return ContentRange(None, 0, _number(query[1]))
    chunk = _CHUNK.fullmatch(header)
    if not chunk or int(chunk[2]) < int(chunk[1]):
        raise UploadError(400, "Failed to parse Content-Range header.")
    first, length, total = int(chunk[1]), int(chunk[2]) - int(chunk[1]) + 1, _number(chunk[3])
    if total is not None and total < first + length:
        raise UploadError(400, "Failed to parse Content-Range header.")
    if content_length not in (None, length):
        raise UploadError(
            400,
            f"Invalid request.  There were {content_length} byte(s) in the request body.  There should have"
            f" been {length} byte(s) (starting at offset {first} and ending at offset {first + length - 1})"
            " according to the Content-Range header.",
        )
    return ContentRange(first, length, total)


def _number(text: str) -> int | None:
    return None if text == "*" else int(text)
