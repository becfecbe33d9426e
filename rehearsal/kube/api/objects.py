"""The requests on objects and collections: GET, LIST, WATCH, POST, PUT, PATCH, DELETE."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from rehearsal.kube.api.body import (
    APPLY,
    JSON_PATCH,
    MERGE_PATCH,
    read_delete_options,
    read_object,
    read_patch,
    write_options,
)
from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.listing import list_objects, selection
from rehearsal.kube.api.patches import json_patch, merge_patch
from rehearsal.kube.api.registry import Patch, Registry
from rehearsal.kube.api.responses import json_answer
from rehearsal.kube.api.routing import Target
from rehearsal.kube.api.scale import scale_of, with_scale
from rehearsal.kube.api.schema import type_of
from rehearsal.kube.api.status import method_not_allowed, success, unsupported_media_type
from rehearsal.kube.api.store import Object
from rehearsal.kube.api.strategic import strategic_merge
from rehearsal.kube.api.table import table, wants_table
from rehearsal.kube.api.watch import watch

_ANSWERED_WITH_THE_OBJECT = {
    "PersistentVolume", "PersistentVolumeClaim", "Pod", "ResourceQuota", "Service", "ServiceAccount",
}  # fmt: skip
_TRUE = {"1", "true", "True"}


class Objects:
    """Answers requests on the objects of one cluster."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store

    async def answer(self, request: web.Request, target: Target) -> web.StreamResponse:
        """Answer a request on an object, its status or scale, or a collection.

        Raises:
            ApiError: it is refused.
        """
        if request.method == "GET":
            return await self._read(request, target)
        if request.method == "POST" and not target.name:
            return await self._create(request, target)
        if request.method == "PUT" and target.name:
            return await self._replace(request, target, target.name)
        if request.method == "PATCH" and target.name:
            return await self._patch(request, target, target.name)
        if request.method == "DELETE" and not target.subresource:
            return await self._delete(request, target)
        raise method_not_allowed(target.kind)

    async def _read(self, request: web.Request, target: Target) -> web.StreamResponse:
        tabular = wants_table(request.headers.get("Accept", ""))
        include = request.query.get("includeObject", "Metadata")
        if request.query.get("watch") in _TRUE:

            def render(obj: Object) -> Object:
                metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
                shown = {**obj, "apiVersion": target.kind.api_version}
                return table(target.kind, [shown], metadata, include) if tabular else shown

            return await watch(request, self._store, target, request.query, render)
        if not target.name:
            listed = list_objects(self._store, target, request.query)
            if tabular:
                return json_answer(table(target.kind, listed["items"], listed["metadata"], include))
            return json_answer(listed)
        obj = self._registry.get(target.kind, target.namespace, target.name)
        if target.subresource == "scale":
            return json_answer(scale_of(target.kind, obj))
        if tabular:
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return json_answer(table(target.kind, [obj], metadata, include))
        return json_answer(obj)

    async def _create(self, request: web.Request, target: Target) -> web.Response:
        write = write_options(request, "")
        body = await read_object(request)
        created = self._registry.create(target.kind, target.namespace, body, write)
        return json_answer(created, code=201, warnings=write.warnings)

    async def _replace(self, request: web.Request, target: Target, name: str) -> web.Response:
        write = write_options(request, target.subresource)
        body = await read_object(request)
        if target.subresource == "scale":
            return json_answer(self._scale(target, name, lambda _: body, request))
        replaced = self._registry.replace(target.kind, target.namespace, name, body, write)
        return json_answer(replaced, warnings=write.warnings)

    async def _patch(self, request: web.Request, target: Target, name: str) -> web.Response:
        write = write_options(request, target.subresource)
        body = await read_patch(request)
        if request.content_type == APPLY:
            applied, created = self._registry.apply(target.kind, target.namespace, name, body, write)
            return json_answer(applied, code=201 if created else 200, warnings=write.warnings)
        patch = _patch_function(target.kind, request.content_type, body)
        if target.subresource == "scale":
            return json_answer(self._scale(target, name, patch, request))
        patched = self._registry.patch(target.kind, target.namespace, name, patch, write)
        return json_answer(patched, warnings=write.warnings)

    def _scale(self, target: Target, name: str, patch: Patch, request: web.Request) -> Object:
        write = write_options(request, "scale")
        scaled = self._registry.patch(
            target.kind,
            target.namespace,
            name,
            lambda live: with_scale(target.kind, live, patch(scale_of(target.kind, live))),
            write,
        )
        return scale_of(target.kind, scaled)

    async def _delete(self, request: web.Request, target: Target) -> web.Response:
        options = await read_delete_options(request)
        dry_run = "All" in options.get("dryRun", [])
        if not target.name:
            return self._delete_collection(request, target, options, dry_run=dry_run)
        deleted, gone = self._registry.delete(
            target.kind, target.namespace, target.name, options, dry_run=dry_run
        )
        if gone and target.kind.kind not in _ANSWERED_WITH_THE_OBJECT:
            return json_answer(success(target.kind, target.name, deleted["metadata"]["uid"]))
        return json_answer(deleted)

    def _delete_collection(
        self, request: web.Request, target: Target, options: Object, *, dry_run: bool
    ) -> web.Response:
        selected = selection(target, request.query)
        listed = list_objects(self._store, target, request.query)
        for obj in self._store.list(target.kind, target.namespace):
            if selected(obj):
                metadata = obj["metadata"]
                self._registry.delete(
                    target.kind, metadata.get("namespace"), metadata["name"], options, dry_run=dry_run
                )
        return json_answer(listed)


def _patch_function(kind: Kind, content_type: str, body: Any) -> Patch:
    if content_type == JSON_PATCH:
        return lambda live: json_patch(live, body)
    if content_type == MERGE_PATCH:
        return lambda live: merge_patch(live, body)
    if kind.custom is not None:
        raise unsupported_media_type([JSON_PATCH, MERGE_PATCH, APPLY])
    return lambda live: strategic_merge(type_of(kind), live, body)
