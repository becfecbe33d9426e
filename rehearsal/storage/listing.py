"""storage.objects.list: pages of objects and of the prefixes between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from rehearsal.documents import Document
from rehearsal.storage.call import Call, Reply
from rehearsal.storage.catalogue import Catalogue
from rehearsal.storage.errors import StorageError, not_emulated
from rehearsal.storage.fields import select
from rehearsal.storage.objects import resource


@dataclass(frozen=True)
class _Entry:
    name: str
    is_prefix: bool


class Listing:
    """List the objects of a bucket in the order of their UTF-8 names.

    Args:
        catalogue: where their metadata is kept.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def page(self, call: Call) -> Reply:
        """Answer one page."""
        bucket = self._catalogue.bucket(call.names["bucket"])["name"]
        if "matchGlob" in call.query:
            raise not_emulated("matchGlob")
        page: Document = {"kind": "storage#objects"}
        if call.flag("softDeleted"):
            return Reply(page)
        limit = min(call.number("maxResults", 1000), 1000)
        after = _read_token(call.query.get("pageToken"))
        entries = list(islice(self._entries(call, bucket, after), limit + 1))
        if len(entries) > limit:
            entries.pop()
            page["nextPageToken"] = _token(entries[-1].name)
        prefixes = [entry.name for entry in entries if entry.is_prefix]
        rows = self._catalogue.objects(bucket)
        items = [resource(bucket, rows[entry.name], call.origin) for entry in entries if not entry.is_prefix]
        page |= {key: values for key, values in (("prefixes", prefixes), ("items", items)) if values}
        return Reply(select(page, call.query.get("fields")))

    def _entries(self, call: Call, bucket: str, after: str) -> Iterator[_Entry]:
        delimiter, prefix = call.query.get("delimiter", ""), call.query.get("prefix", "")
        last_prefix = ""
        for name in self._names(call, bucket, prefix):
            end = name.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                if name > after:
                    yield _Entry(name, is_prefix=False)
                continue
            common = name[: end + len(delimiter)]
            if common not in (last_prefix, after) and common > after:
                yield _Entry(common, is_prefix=True)
            last_prefix = common
            if (
                common == name
                and call.flag("includeTrailingDelimiter")
                and name in self._catalogue.objects(bucket)
            ):
                yield _Entry(name, is_prefix=False)

    def _names(self, call: Call, bucket: str, prefix: str) -> list[str]:
        names = set(self._catalogue.objects(bucket))
        if call.flag("includeFoldersAsPrefixes"):
            if call.query.get("delimiter") != "/":
                raise StorageError(
                    400, "invalid", "includeFoldersAsPrefixes requires the delimiter to be '/'."
                )
            names.update(folder for folder in self._catalogue.folders(bucket) if folder != prefix)
        start, end = call.query.get("startOffset", ""), call.query.get("endOffset")
        kept = (
            name for name in names if name.startswith(prefix) and name >= start and (not end or name < end)
        )
        return sorted(kept)


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _read_token(token: str | None) -> str:
    try:
        return base64.urlsafe_b64decode(token or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        raise StorageError(400, "invalid", "Invalid argument: pageToken", "pageToken") from None
