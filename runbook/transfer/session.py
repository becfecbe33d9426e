"""A resumable upload of Cloud Storage: bytes go in, and the object appears with the last of them.

The session's address is a credential: who has it can write this one object, for about a week.
"""

from __future__ import annotations

import http.client
import json
from contextlib import suppress
from dataclasses import dataclass

from runbook.engine.errors import PassingError, Place, RunbookError
from runbook.transfer import refusals
from runbook.transfer.connection import Connection, passing_troubles

GRANULE = 256 << 10
"""Every request but the last brings a multiple of this many bytes."""
RESUME_INCOMPLETE = 308
CANCELLED = 499


class SessionGone(Exception):  # noqa: N818 - a signal: another session is opened
    """Cloud Storage knows the session no longer: finished long ago, cancelled, or older than a week."""


class PreconditionFailed(Exception):  # noqa: N818 - a signal: what is there is looked at
    """The object has another generation than the session was opened for."""


@dataclass(frozen=True)
class StoredObject:
    """An object, as Cloud Storage tells it.

    Args:
        size: in bytes.
        crc32c: base64.
        generation: changes whenever somebody writes the object.
    """

    size: int
    crc32c: str
    generation: int


class UploadSession:
    """One session.

    Args:
        uri: its address.
        place: of the object, for errors; the address itself is a secret.
        stall_s: seconds without a byte after which a connection is given up.
    """

    def __init__(self, uri: str, place: Place, stall_s: float) -> None:
        self.uri = uri
        self._place = place
        self._connection = Connection(uri, stall_s)

    def persisted(self) -> int | StoredObject:
        """Ask how many bytes Cloud Storage has kept, or for the object where it is made already.

        Raises:
            SessionGone: there is no such session.
            PassingError: no answer.
        """
        return self._request("PUT", {"Content-Range": "bytes */*", "Content-Length": "0"})

    def begin(self, start: int, end: int) -> None:
        """Begin a request that brings the bytes from `start` up to `end`, which make no object yet."""
        headers = {"Content-Range": f"bytes {start}-{end - 1}/*", "Content-Length": str(end - start)}
        with passing_troubles(self._place):
            self._connection.begin("PUT", self.uri, headers)

    def send(self, piece: memoryview) -> None:
        """Send the next bytes of the request.

        Raises:
            RunbookError: Cloud Storage refused while bytes were still sent.
        """
        try:
            with passing_troubles(self._place):
                self._connection.send(piece)
        except PassingError:
            self._answered()  # it may say why it no longer listens
            raise

    def end(self) -> int | StoredObject:
        """Read the answer of the request: how many bytes are kept now."""
        return self._answered()

    def commit(self, tail: bytes, start: int, crc32c: str) -> int | StoredObject:
        """Send the last bytes; Cloud Storage compares the checksum of all and makes the object.

        Args:
            tail: what is still to be sent.
            start: position of its first byte.
            crc32c: of the whole object, base64.

        Returns:
            the object, or how many bytes are kept where a part of the tail is still to be sent.

        Raises:
            FailedError: the checksum of what arrived is another one; there is no object.
            PreconditionFailed: somebody else wrote the object meanwhile.
        """
        total = start + len(tail)
        span = f"{start}-{total - 1}" if tail else "*"
        headers = {
            "Content-Range": f"bytes {span}/{total}",
            "Content-Length": str(len(tail)),
            "X-Goog-Hash": f"crc32c={crc32c}",
        }
        return self._request("PUT", headers, tail)

    def cancel(self) -> None:
        """Have Cloud Storage forget it; one that cannot be reached is forgotten within a week anyway."""
        with suppress(RunbookError, SessionGone):
            self._request("DELETE", {"Content-Length": "0"})
        self.close()

    def close(self) -> None:
        """Close the connection; the session stays."""
        self._connection.close()

    def _request(self, method: str, headers: dict[str, str], body: bytes = b"") -> int | StoredObject:
        with passing_troubles(self._place):
            self._connection.begin(method, self.uri, headers)
            if body:
                self._connection.send(body)
        return self._answered()

    def _answered(self) -> int | StoredObject:
        try:
            with passing_troubles(self._place):
                answer = self._connection.answer()
                text = answer.read().decode(errors="replace")
        except PassingError:
            self.close()
            raise
        return self._told(answer, text)

    def _told(self, answer: http.client.HTTPResponse, text: str) -> int | StoredObject:
        if answer.status == RESUME_INCOMPLETE:
            kept = answer.headers.get("Range")
            return int(kept.rpartition("-")[2]) + 1 if kept else 0
        if answer.status in {200, 201}:
            return _stored(text)
        self.close()
        if answer.status in {404, 410, CANCELLED}:
            raise SessionGone
        if answer.status == 412:
            raise PreconditionFailed
        raise refusals.of_bucket(answer.status, dict(answer.headers), text, self._place)


def _stored(text: str) -> StoredObject:
    made = json.loads(text or "{}")
    return StoredObject(int(made.get("size", 0)), made.get("crc32c", ""), int(made.get("generation", 0)))
