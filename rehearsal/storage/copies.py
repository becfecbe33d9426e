"""Objects made of objects: rewrite, copy, move and compose, without moving a byte over the network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from multidict import MultiDict

from rehearsal.documents import Document
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.call import Call, Reply
from rehearsal.storage.catalogue import Catalogue
from rehearsal.storage.drafts import Content, Draft
from rehearsal.storage.errors import StorageError
from rehearsal.storage.fields import select
from rehearsal.storage.objects import Objects, resource
from rehearsal.storage.preconditions import PARAMETERS, check

_MOST_COMPONENTS = 32
_PIECE = 1024 * 1024


class Copies:
    """Make objects of others that are there.

    Args:
        catalogue: where metadata is kept.
        blobs: where bytes are kept.
        objects: what commits the result.
    """

    def __init__(self, catalogue: Catalogue, blobs: Blobs, objects: Objects) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._objects = objects

    async def rewrite(self, call: Call) -> Reply:
        """storage.objects.rewrite: always done in one call."""
        made = self._copy(call)
        answer = {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": made["size"],
            "objectSize": made["size"],
            "done": True,
            "resource": resource(call.names["destination_bucket"], made, call.origin),
        }
        return Reply(select(answer, call.query.get("fields")))

    async def copy(self, call: Call) -> Reply:
        """storage.objects.copy."""
        made = self._copy(call)
        shown = resource(call.names["destination_bucket"], made, call.origin)
        return Reply(select(shown, call.query.get("fields")))

    async def move(self, call: Call) -> Reply:
        """storage.objects.move: a copy within the bucket, after which the source is gone."""
        source = self._objects.find(call)
        made = self._copy(call)
        if made["name"] != source["name"]:
            self._objects.remove(call.names["bucket"], source)
        return self._objects.answer(call, made)

    async def compose(self, call: Call) -> Reply:
        """storage.objects.compose: up to 32 objects, one after the other.

        A checksum in the request is ignored, for gcloud sends that of the first component.
        """
        bucket, name = call.names["bucket"], call.names["object"]
        self._objects.admit(bucket, name, call.query)
        sources = [self._component(bucket, wanted) for wanted in call.body.get("sourceObjects") or []]
        if not 1 <= len(sources) <= _MOST_COMPONENTS:
            message = (
                f"The number of source components provided ({len(sources)}) must be from 1 to"
                f" {_MOST_COMPONENTS}."
            )
            raise StorageError(400, "invalid", message)
        draft = self._blobs.draft()
        for source in sources:
            await self._append(draft, source)
        joined = await draft.finish()
        attributes = call.body.get("destination") or {}
        if "contentType" not in attributes and "contentType" in sources[0]:
            attributes["contentType"] = sources[0]["contentType"]
        count = sum(source.get("componentCount", 1) for source in sources)
        content = Content(joined.blob, joined.size, joined.crc32c, None)
        made = self._objects.commit(bucket, name, attributes, content, call.query, component_count=count)
        if call.flag("deleteSourceObjects"):
            for source in sources:
                self._objects.remove(bucket, source)
        return self._objects.answer(call, made)

    def _component(self, bucket: str, wanted: Mapping[str, Any]) -> Document:
        generation = str(wanted["generation"]) if "generation" in wanted else None
        row = self._catalogue.object(bucket, wanted.get("name", ""), generation)
        check(row, wanted.get("objectPreconditions") or {})
        return row

    async def _append(self, draft: Draft, source: Mapping[str, Any]) -> None:
        with self._blobs.path(source["blob"]).open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                await draft.append(piece)

    def _copy(self, call: Call) -> Document:
        source = self._catalogue.object(
            call.names["bucket"], call.names["object"], call.query.get("sourceGeneration")
        )
        check(source, _source_conditions(call))
        bucket = call.names.get("destination_bucket", call.names["bucket"])
        name = call.names["destination_object"]
        self._objects.admit(bucket, name, call.query)
        attributes = source | call.body if call.body else source
        copied = self._blobs.link(source["blob"])
        content = Content(copied, int(source["size"]), source["crc32c"], source.get("md5Hash"))
        count = source.get("componentCount")
        return self._objects.commit(bucket, name, attributes, content, call.query, component_count=count)


def _source_conditions(call: Call) -> MultiDict[str]:
    named = ((parameter, "ifSource" + parameter.removeprefix("if")) for parameter in PARAMETERS)
    return MultiDict((plain, call.query[source]) for plain, source in named if source in call.query)
