"""The cluster's objects: get, list, apply, patch, delete, watch and logs, each with a deadline."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.client import DynamicClient

from runbook.clients.kube.access import Access
from runbook.clients.kube.failures import AbsentError, BrokenAnswerError, of_answer, translated, unaccepted
from runbook.clients.kube.kinds import KnownKinds
from runbook.clients.kube.line import Line
from runbook.clients.kube.logged_in import official_client
from runbook.clients.kube.objects import Object, Reference, Selection
from runbook.engine.errors import ManifestError, Place

TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect, and seconds without a byte."""

_PAUSES: Final = (0.2, 1.0)
"""Seconds before a request whose answer broke off is made again."""

FORBIDDEN: Final = 403
_ASKED_OF_ALL: Final = "/api/v1/namespaces"
"""Wants a login on every cluster; who may not list them was known at least."""
_NOBODY: Final = "system:anonymous"
"""Who asks without a login, as the API server calls them."""
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_JSON_PATCH: Final = "application/json-patch+json"


@dataclass(frozen=True)
class Listing:
    """What a list gave.

    Args:
        version: a watch from here misses nothing.
    """

    items: list[Object]
    version: str


@dataclass(frozen=True)
class WatchEvent:
    """One change that a watch saw.

    Args:
        type: ADDED, MODIFIED, DELETED, or BOOKMARK, which only tells how far the watch has come.
    """

    type: str
    object: Object


class KubeClient:
    """One cluster, by the official client's dynamic API.

    Args:
        access: how to reach it.
        folder: this project's own, for what is kept of the cluster's kinds.
    """

    def __init__(self, access: Access, folder: Path) -> None:
        self.access = access
        self._dynamic: Any = DynamicClient(  # type: ignore[no-untyped-call] # the client has no types here
            official_client(access),
            cache_file=str(folder / f"kinds-{access.identity}.json"),
            discoverer=KnownKinds,
        )

    @property
    def server(self) -> str:
        """The API server's address, such as `https://34.1.2.3`."""
        return self.access.server

    def require_login(self) -> None:
        """Make sure that the cluster knows who asks, whatever they may do there.

        Raises:
            CredentialsError: it knows no such login, or takes it for nobody's.
        """
        with self._translated(f"GET {_ASKED_OF_ALL}"):
            try:
                self._dynamic.request(
                    "get",
                    _ASKED_OF_ALL,
                    query_params=[("limit", "1")],
                    serialize=False,
                    _request_timeout=TIMEOUT,
                )
            except ApiException as error:
                if error.status != FORBIDDEN:
                    raise
                if _NOBODY in str(error.body):
                    raise unaccepted(Place(f"GET {_ASKED_OF_ALL}"), self.access.remedies) from error

    def get(self, reference: Reference) -> Object | None:
        """Read one object; None where there is none."""
        try:
            return self._json("get", self._path(reference))
        except AbsentError:
            return None

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str,
        labels: Mapping[str, str] | None = None,
        fields: str = "",
    ) -> list[Object]:
        """List objects.

        Args:
            namespace: empty for all, or for a cluster-wide kind.
            labels: what they must carry.
            fields: a field selector.
        """
        selector = ",".join(f"{name}={value}" for name, value in (labels or {}).items())
        return self.select(Selection(api_version, kind, namespace, selector, fields)).items

    def select(self, selection: Selection) -> Listing:
        """List objects, with the version from which a watch goes on."""
        answer = self._json("get", self._collection(selection), **_selectors(selection))
        # a list names the kind of its items only once
        named = {"apiVersion": selection.api_version, "kind": selection.kind}
        items = [{**named, **item} for item in answer["items"]]
        return Listing(items, answer["metadata"]["resourceVersion"])

    def apply(self, wanted: Object, *, field_manager: str, force: bool, dry_run: bool = False) -> Object:
        """Make an object as it should be, by server-side apply; fields that others own stay as they are.

        Args:
            wanted: the object, only with the fields that are to be owned.
            field_manager: the owner's name.
            force: take over fields that another manager owns.
            dry_run: only tell what would be.

        Raises:
            ConflictError: another manager owns a field that would change.
            ManifestError: the API server cannot take the object.
        """
        query = [
            ("fieldManager", field_manager),
            ("force", str(force).lower()),
            ("fieldValidation", "Strict"),
        ]
        if dry_run:
            query.append(("dryRun", "All"))
        path = self._path(Reference.to(wanted))
        return self._json("patch", path, body=wanted, content_type=_APPLY, query_params=query)

    def merge_patch(self, reference: Reference, patch: Object, *, field_manager: str) -> Object:
        """Change single fields; null takes a field away."""
        query = [("fieldManager", field_manager)]
        path = self._path(reference)
        return self._json("patch", path, body=patch, content_type=_MERGE, query_params=query)

    def json_patch(self, reference: Reference, operations: Sequence[Object], *, field_manager: str) -> Object:
        """Replace whole parts of an object, which a merge would only add to.

        Args:
            operations: of RFC 6902; each must be safe to send twice.
        """
        query = [("fieldManager", field_manager)]
        path = self._path(reference)
        return self._json("patch", path, body=operations, content_type=_JSON_PATCH, query_params=query)

    def delete(self, reference: Reference, *, propagation: str = "Background") -> None:
        """Delete an object and what it owns; it is no error when it is not there.

        Args:
            propagation: Background: what it owns goes after it; Foreground: before it.
        """
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        try:
            self._json("delete", self._path(reference), body=options)
        except AbsentError:
            return

    def watch(
        self, selection: Selection, version: str, seconds: int, quiet_seconds: float, line: Line
    ) -> Iterator[WatchEvent]:
        """Give the changes of some objects as they happen, for some time.

        Args:
            version: changes after this one.
            seconds: how long; the API server ends the watch then.
            quiet_seconds: raise PassingError after so long without a byte.
            line: can end the watch from another thread.

        Raises:
            GoneError: the version is too old.
        """
        path = self._collection(selection)
        answer = self._stream(
            path,
            quiet_seconds,
            line,
            watch="true",
            allow_watch_bookmarks="true",
            resource_version=version,
            timeout_seconds=seconds,
            **_selectors(selection),
        )
        with answer as lines:
            for text in lines:
                event = json.loads(text)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise of_answer(
                        status["code"],
                        json.dumps(status),
                        Place(f"GET {path}?watch=true"),
                        remedies=self.access.remedies,
                    )
                yield WatchEvent(event["type"], event["object"])

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail: int | None = None,
        seconds: int | None = None,
    ) -> str:
        """Read a container's log so far; empty where it has not started.

        Args:
            previous: of the container before its last restart.
            tail: only so many last lines.
            seconds: only what was written in so many last seconds.
        """
        query = _log_query(container, previous=previous, tail=tail, seconds=seconds)
        path = f"{self._path(Reference('v1', 'Pod', namespace, pod))}/log"
        try:
            with self._translated(f"GET {path}"):
                answer = self._dynamic.request(
                    "get", path, query_params=query, serialize=False, _request_timeout=TIMEOUT
                )
                text: str = answer.data.decode("utf-8", "replace")
                return text
        except (AbsentError, ManifestError):  # no such Pod, or "container ... is waiting to start" (400)
            return ""

    @contextmanager
    def follow(
        self,
        namespace: str,
        pod: str,
        container: str,
        quiet_seconds: float,
        *,
        line: Line | None = None,
        tail: int | None = None,
    ) -> Iterator[Iterator[str]]:
        """Open a container's log, line by line as they come, until the container ends.

        Args:
            quiet_seconds: raise PassingError after so long without a line.
            line: can end it from another thread.
            tail: begin with so many last lines; None: at its beginning.
        """
        query = [*_log_query(container, tail=tail), ("follow", "true")]
        path = f"{self._path(Reference('v1', 'Pod', namespace, pod))}/log"
        with self._stream(path, quiet_seconds, line or Line(), query_params=query) as lines:
            yield lines

    def _translated(self, request: str) -> AbstractContextManager[None]:
        return translated(request, self.access.remedies)

    def _collection(self, selection: Selection) -> str:
        return self._path(Reference(selection.api_version, selection.kind, selection.namespace, ""))

    def _path(self, reference: Reference) -> str:
        with self._translated(f"find {reference.api_version} {reference.kind}"):
            kind = self._dynamic.resources.get(api_version=reference.api_version, kind=reference.kind)
            path: str = kind.path(name=reference.name or None, namespace=reference.namespace or None)
            return path

    def _json(self, method: str, path: str, **parameters: Any) -> Object:
        """Ask, and ask again where the answer broke off; every request here may be made twice."""
        for pause in _PAUSES:
            try:
                return self._once(method, path, **parameters)
            except BrokenAnswerError:
                time.sleep(pause)
        return self._once(method, path, **parameters)

    def _once(self, method: str, path: str, **parameters: Any) -> Object:
        with self._translated(f"{method.upper()} {path}"):
            answer = self._dynamic.request(
                method, path, serialize=False, _request_timeout=TIMEOUT, **parameters
            )
            found: Object = json.loads(answer.data)
            return found

    @contextmanager
    def _stream(
        self, path: str, quiet_seconds: float, line: Line, **parameters: Any
    ) -> Iterator[Iterator[str]]:
        with self._translated(f"GET {path}"):
            answer = self._dynamic.request(
                "get", path, serialize=False, _request_timeout=(TIMEOUT[0], quiet_seconds), **parameters
            )
            try:
                with line.carrying(answer):
                    yield _lines(answer)
            finally:
                answer.close()
                answer.release_conn()


def _selectors(selection: Selection) -> dict[str, str | None]:
    return {"label_selector": selection.labels or None, "field_selector": selection.fields or None}


def _log_query(
    container: str, *, previous: bool = False, tail: int | None = None, seconds: int | None = None
) -> list[tuple[str, str]]:
    query = [("container", container)]
    if previous:
        query.append(("previous", "true"))
    if tail is not None:
        query.append(("tailLines", str(tail)))
    if seconds is not None:
        query.append(("sinceSeconds", str(seconds)))
    return query


def _lines(answer: Any) -> Iterator[str]:
    pending = b""
    for chunk in answer.stream(amt=None, decode_content=True):
        *complete, pending = (pending + chunk).split(b"\n")
        for line in complete:
            yield line.decode("utf-8", "replace")
    if pending:
        yield pending.decode("utf-8", "replace")
