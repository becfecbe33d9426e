"""The Kubernetes API server of one cluster, as an aiohttp application."""

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from rehearsal.kube.api import discovery, openapi
from rehearsal.kube.api.custom.kinds import served_kinds
from rehearsal.kube.api.exec import execute
from rehearsal.kube.api.log_times import LogTimes
from rehearsal.kube.api.logs import answer_log
from rehearsal.kube.api.objects import Objects
from rehearsal.kube.api.portforward import forward_ports
from rehearsal.kube.api.registry import Admission, Registry
from rehearsal.kube.api.responses import errors_as_status, json_answer
from rehearsal.kube.api.routing import Target, resolve
from rehearsal.kube.api.runtime import PodRuntime
from rehearsal.kube.api.seed import seed_objects
from rehearsal.kube.api.status import NothingServedError
from rehearsal.kube.api.store import Store

_LARGEST_BODY = 3 * 1024 * 1024
_SLASH = "{slash:/?}"
"""The generated clients end the paths of discovery with a slash."""
_USER = "rehearsal@example.com"


def application(store: Store, runtime: PodRuntime, admission: Admission, version: str) -> web.Application:
    """Build the API server of one cluster.

    Args:
        runtime: where the containers' logs and ports are.
        admission: completes or refuses objects; gets the kind, the object and CREATE or UPDATE.
        version: the cluster's version without `v`, such as 1.34.1-gke.1829001.
    """
    seed_objects(store)
    server = _Server(store, runtime, Registry(store, admission), version)
    app = web.Application(middlewares=[errors_as_status], client_max_size=_LARGEST_BODY)
    app.cleanup_ctx.append(server.watch_logs)
    for path in ("/healthz", "/livez", "/readyz"):
        app.router.add_get(path, _healthy)
    app.router.add_get("/version" + _SLASH, server.version)
    app.router.add_get("/api" + _SLASH, server.core)
    app.router.add_get("/apis" + _SLASH, server.groups)
    app.router.add_get("/apis/{group}" + _SLASH, server.group)
    app.router.add_get("/api/{version:v1}" + _SLASH, server.resources)
    app.router.add_get("/apis/{group}/{version}" + _SLASH, server.resources)
    app.router.add_get("/openapi/v3", server.openapi_index)
    app.router.add_get("/openapi/v3/api/{version}", server.openapi)
    app.router.add_get("/openapi/v3/apis/{group}/{version}", server.openapi)
    app.router.add_post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", server.review_access)
    app.router.add_post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", server.review_rules)
    app.router.add_post("/apis/authentication.k8s.io/v1/selfsubjectreviews", server.review_self)
    app.router.add_route("*", "/api/{version:v1}/{path:.*}", server.objects)
    app.router.add_route("*", "/apis/{group}/{version}/{path:.*}", server.objects)
    return app


async def _healthy(request: web.Request) -> web.Response:  # noqa: ARG001 - aiohttp's signature
    return web.Response(text="ok")


class _Server:
    def __init__(self, store: Store, runtime: PodRuntime, registry: Registry, version: str) -> None:
        self._store = store
        self._runtime = runtime
        self._objects = Objects(registry)
        self._version = version
        self.log_times = LogTimes(store, runtime)

    async def watch_logs(self, app: web.Application) -> AsyncIterator[None]:  # noqa: ARG002 - aiohttp's signature
        task = asyncio.create_task(self.log_times.run())
        yield
        task.cancel()

    async def version(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        # clients in Python refuse an answer without one of these fields
        major, minor = self._version.split(".")[:2]
        return json_answer({
            "major": major,
            "minor": minor,
            "gitVersion": f"v{self._version}",
            "gitCommit": "rehearsal",
            "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": f"python{platform.python_version()}",
            "compiler": sys.implementation.name,
            "platform": "linux/amd64",
        })  # fmt: skip

    async def core(self, request: web.Request) -> web.Response:
        if _aggregated(request):
            return _discovery(discovery.aggregated(served_kinds(self._store), core=True))
        return json_answer(discovery.api_versions(request.host))

    async def groups(self, request: web.Request) -> web.Response:
        if _aggregated(request):
            return _discovery(discovery.aggregated(served_kinds(self._store), core=False))
        return json_answer(discovery.api_groups(served_kinds(self._store)))

    async def group(self, request: web.Request) -> web.Response:
        return _found(discovery.api_group(served_kinds(self._store), request.match_info["group"]))

    async def resources(self, request: web.Request) -> web.Response:
        group, version = request.match_info.get("group", ""), request.match_info["version"]
        return _found(discovery.resources(served_kinds(self._store), group, version))

    async def openapi_index(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        return json_answer(openapi.index(served_kinds(self._store)))

    async def openapi(self, request: web.Request) -> web.Response:
        group, version = request.match_info.get("group", ""), request.match_info["version"]
        return json_answer(openapi.document(served_kinds(self._store), group, version))

    async def review_access(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        return _review("authorization", "SelfSubjectAccessReview", {"allowed": True})

    async def review_rules(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        return _review("authorization", "SelfSubjectRulesReview", {
            "incomplete": False,
            "resourceRules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
            "nonResourceRules": [{"nonResourceURLs": ["*"], "verbs": ["*"]}],
        })  # fmt: skip

    async def review_self(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        user = {"username": _USER, "groups": ["system:authenticated"]}
        return _review("authentication", "SelfSubjectReview", {"userInfo": user})

    async def objects(self, request: web.Request) -> web.StreamResponse:
        group, version = request.match_info.get("group", ""), request.match_info["version"]
        target = resolve(self._store, group, version, request.match_info["path"])
        if target.subresource in {"", "status"} or (target.subresource == "scale" and target.kind.scale):
            return await self._objects.answer(request, target)
        if target.kind.kind == "Pod":
            return await self._pod(request, target)
        raise NothingServedError

    async def _pod(self, request: web.Request, target: Target) -> web.StreamResponse:
        if target.subresource == "log":
            return await answer_log(request, self._store, self._runtime, self.log_times, target)
        if target.subresource == "portforward":
            return await forward_ports(request, self._store, self._runtime, target)
        if target.subresource == "exec":
            return await execute(request, self._store, self._runtime, target)
        raise NothingServedError


def _review(group: str, kind: str, status: dict[str, Any]) -> web.Response:
    """Answer a review whatever it asks: the only user may do everything."""
    version = f"{group}.k8s.io/v1"
    review = {"kind": kind, "apiVersion": version, "metadata": {}, "spec": {}, "status": status}
    return json_answer(review, code=201)


def _aggregated(request: web.Request) -> bool:
    return "as=APIGroupDiscoveryList" in request.headers.get("Accept", "") and "v=v2;" in (
        request.headers.get("Accept", "") + ";"
    )


def _discovery(document: dict[str, Any]) -> web.Response:
    response = json_answer(document)
    response.headers["Content-Type"] = discovery.AGGREGATED
    response.headers["ETag"] = discovery.etag(document)
    return response


def _found(document: dict[str, Any] | None) -> web.Response:
    if document is None:
        raise NothingServedError
    return json_answer(document)
