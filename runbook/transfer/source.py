"""A file's bytes from the hub, from any position on; large files come from where the hub redirects to."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic
from urllib.parse import quote, urljoin, urlsplit

from runbook.engine.errors import FailedError, PassingError, Place
from runbook.transfer import refusals
from runbook.transfer.connection import Connection, passing_troubles
from runbook.transfer.files import Consignment, HubFile

PIECE = 1 << 20
"""Bytes that are read, hashed and sent at once: many, as each read costs the other files a turn."""
CRAWL_S = 60.0
"""A connection that brings a piece no faster is given up for another one, of another server perhaps."""
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Source:
    """The files of one commit.

    Args:
        consignment: whose files they are.
    """

    consignment: Consignment

    @contextmanager
    def opened(self, file: HubFile, start: int) -> Iterator[Iterator[memoryview]]:
        """Open a file; the address of its bytes is asked for anew each time, as a signed one expires.

        Args:
            start: position of the first byte.

        Raises:
            PassingError: the connection failed, the hub is busy, or a signed address was refused.
            CredentialsError: the model is gated, or the token is refused.
            RefusedError: there is no such file.
            FailedError: the file has another size than the hub lists.
        """
        with ExitStack() as opened:
            place = Place(f"GET {self._url(file)}")
            with passing_troubles(place):
                answer = self._answer(file, start, place, opened)
            _refuse_other_size(answer, file, start, place)
            yield pieces_of(answer, file, start, place)

    def _url(self, file: HubFile) -> str:
        order = self.consignment
        return f"{order.hub}/{order.repository}/resolve/{order.commit}/{quote(file.path)}"

    def _answer(self, file: HubFile, start: int, place: Place, opened: ExitStack) -> http.client.HTTPResponse:
        url = first = self._url(file)
        for _ in range(MOST_REDIRECTS):
            at_hub = urlsplit(url).netloc == urlsplit(first).netloc
            connection = Connection(url, self.consignment.stall_s)
            opened.callback(connection.close)
            connection.begin("GET", url, self._headers(start, at_hub=at_hub))
            answer = connection.answer()
            if answer.status not in REDIRECTS:
                break
            url = urljoin(url, answer.headers.get("Location", ""))
        if answer.status not in {200, 206}:
            raise _refused(answer, place, at_hub=at_hub)
        return answer

    def _headers(self, start: int, *, at_hub: bool) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": "runbook"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if at_hub and self.consignment.token:
            headers["Authorization"] = f"Bearer {self.consignment.token}"
        return headers


def _refused(answer: http.client.HTTPResponse, place: Place, *, at_hub: bool) -> Exception:
    text = answer.read(4096).decode(errors="replace")
    if not at_hub and answer.status in {401, 403, 404}:
        return PassingError(f"the signed address was refused ({answer.status})", place=place)
    return refusals.of_hub(answer.status, dict(answer.headers), text, place)


def _refuse_other_size(answer: http.client.HTTPResponse, file: HubFile, start: int, place: Place) -> None:
    total = answer.headers.get("Content-Range", "").rpartition("/")[2]
    if answer.status == 200:
        total = answer.headers.get("Content-Length", "")
    if total.isdigit() and int(total) != file.size:
        raise FailedError(
            f"{file.path} has {total} bytes, the hub lists {file.size}",
            place=place,
            remedy="run the same line again; if it stays so, the repository is broken",
        )
    if answer.status == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        raise PassingError("the hub sent another range than was asked for", place=place)


def pieces_of(
    answer: http.client.HTTPResponse, file: HubFile, start: int, place: Place
) -> Iterator[memoryview]:
    """Read on to the end; a hub that knows no ranges sends from the beginning, and that is passed over.

    All pieces are in one buffer: each is good until the next is asked for.
    """
    buffer = memoryview(bytearray(PIECE))
    skip = start if answer.status == 200 else 0
    position = start - skip
    while position < file.size:
        with passing_troubles(place):
            began = monotonic()
            size = answer.readinto(buffer[: file.size - position])
            crawling = monotonic() - began > CRAWL_S
        if not size:
            raise PassingError(f"{file.path} ended after {position} of {file.size} bytes", place=place)
        position += size
        if skip < size:
            yield buffer[skip:size]
        skip = max(0, skip - size)
        if crawling and position < file.size:
            raise PassingError(f"{size} bytes took longer than {CRAWL_S:.0f} s", place=place)
