"""Watches: what is there, then every change, as a stream of JSON lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping

from aiohttp import web

from rehearsal.kube.api.listing import selection
from rehearsal.kube.api.responses import client_gone, stream
from rehearsal.kube.api.routing import Target
from rehearsal.kube.api.selectors import Predicate
from rehearsal.kube.api.status import bad_request, expired, forbidden_field, invalid_object
from rehearsal.kube.api.store import Event, Gone, Object, Store

Render = Callable[[Object], Object]
_LONGEST_SECONDS = 1800
_BOOKMARK_SECONDS = 60
_PRESENCE_SECONDS = 2
_DELETED_OBJECT = "DELETED"


async def watch(
    request: web.Request, store: Store, target: Target, query: Mapping[str, str], render: Render
) -> web.StreamResponse:
    """Answer a watch until its time is over or the client has gone.

    Args:
        render: turns an object into what the client wants to see of it (itself, or a Table).
    """
    selected = selection(target, query)
    version = _start_version(query)
    initial = _wants_initial_events(target, query)
    seconds = _seconds(query)
    bookmarks = query.get("allowWatchBookmarks") in {"1", "true", "True"}
    events = _Events(store, target, selected, render, bookmarks=bookmarks)
    return await stream(request, "application/json", events.lines(request, version, seconds, initial))


def _start_version(query: Mapping[str, str]) -> int | None:
    text = query.get("resourceVersion", "")
    if text in {"", "0"}:
        return None
    if not text.isdigit():
        raise bad_request(f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def _wants_initial_events(target: Target, query: Mapping[str, str]) -> bool:
    if query.get("sendInitialEvents", "").lower() != "true":
        return False
    if query.get("resourceVersionMatch") != "NotOlderThan":
        detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise invalid_object(target.kind, "", [forbidden_field("resourceVersionMatch", detail)])
    return True


def _seconds(query: Mapping[str, str]) -> float:
    try:
        return float(query.get("timeoutSeconds") or 0) or _LONGEST_SECONDS
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{query["timeoutSeconds"]}": invalid syntax') from error


class _Events:
    """The lines of one watch."""

    def __init__(
        self, store: Store, target: Target, selected: Predicate, render: Render, *, bookmarks: bool
    ) -> None:
        self._store = store
        self._target = target
        self._selected = selected
        self._render = render
        self._bookmarks = bookmarks

    async def lines(
        self, request: web.Request, version: int | None, seconds: float, initial: bool
    ) -> AsyncGenerator[bytes]:
        queue = self._store.subscribe()
        try:
            for line in self._catch_up(version, initial):
                yield line
            async for line in self._follow(request, queue, seconds):
                yield line
        finally:
            self._store.unsubscribe(queue)

    def _catch_up(self, version: int | None, initial: bool) -> list[bytes]:
        if version is None or initial:
            present = self._store.list(self._target.kind, self._target.namespace)
            lines = [self._line("ADDED", obj) for obj in present if self._selected(obj)]
            return [*lines, self._bookmark(initial_end=True)] if initial else lines
        try:
            missed = self._store.since(version)
        except Gone as error:
            return [_line("ERROR", expired(str(error)).status())]
        return [line for event in missed if (line := self._change(event))]

    async def _follow(
        self, request: web.Request, queue: asyncio.Queue[Event], seconds: float
    ) -> AsyncGenerator[bytes]:
        loop = asyncio.get_running_loop()
        end, bookmark = loop.time() + seconds, loop.time() + _BOOKMARK_SECONDS
        while (now := loop.time()) < end and not client_gone(request):
            if self._bookmarks and now >= bookmark:
                bookmark = now + _BOOKMARK_SECONDS
                yield self._bookmark()
            try:
                event = await asyncio.wait_for(queue.get(), min(_PRESENCE_SECONDS, end - now))
            except TimeoutError:
                continue
            if line := self._change(event):
                yield line
        if self._bookmarks:
            yield self._bookmark()

    def _change(self, event: Event) -> bytes | None:
        """Tell an event as the selection sees it: an object may come into it and leave it by a change."""
        if event.kind.resource != self._target.kind.resource:
            return None
        before = event.previous is not None and self._selected(event.previous)
        after = event.type != _DELETED_OBJECT and self._selected(event.object)
        if after:
            return self._line("MODIFIED" if before else "ADDED", event.object)
        return self._line(_DELETED_OBJECT, event.object) if before else None

    def _line(self, change: str, obj: Object) -> bytes:
        return _line(change, self._render(obj))

    def _bookmark(self, *, initial_end: bool = False) -> bytes:
        metadata: Object = {"resourceVersion": str(self._store.resource_version)}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        kind = self._target.kind
        return _line("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata})


def _line(change: str, obj: Object) -> bytes:
    return json.dumps({"type": change, "object": obj}, separators=(",", ":")).encode() + b"\n"
