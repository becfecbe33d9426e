"""GKE's metadata server: what the programs of a Pod ask about themselves, and where they get their tokens.

On GKE every Pod reaches it at one address, and it knows a Pod by where the request comes from. Here all
Pods are one machine, so each is given an address with a path of its own (GCE_METADATA_HOST).
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from rehearsal.kube.clusters import KubernetesClusters
from rehearsal.kube.identity import Identity
from rehearsal.projects import project_number
from rehearsal.world import World

_POD = "/{cluster:projects/[^/]+/locations/[^/]+/clusters/[^/]+}/namespaces/{namespace}/pods/{pod}"
_ROOT = "/computeMetadata/v1/"
_FLAVOR = {"Metadata-Flavor": "Google"}
_SCOPES = [
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/userinfo.email",
]


def application(world: World, clusters: KubernetesClusters) -> web.Application:
    """Build the metadata server of all Pods.

    Args:
        world: whose principals' tokens it gives.
        clusters: where the Pods are.
    """
    server = _Server(world, clusters)
    app = web.Application(middlewares=[_with_flavor])
    app.router.add_get(_POD, server.greet)
    app.router.add_get(_POD + "/{path:.*}", server.answer)
    return app


@web.middleware
async def _with_flavor(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse whoever does not say that they know whom they ask, and say who answers."""
    if request.headers.get("Metadata-Flavor") != "Google":
        return web.Response(status=403, text="Missing Metadata-Flavor:Google header.\n")
    answer = await handler(request)
    answer.headers.update(_FLAVOR)
    return answer


class _Server:
    def __init__(self, world: World, clusters: KubernetesClusters) -> None:
        self._world = world
        self._clusters = clusters

    async def greet(self, request: web.Request) -> web.Response:
        """Answer a client that only looks whether there is a metadata server."""
        self._identity(request)
        return web.Response(text="computeMetadata/\n")

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one value, or one account as JSON."""
        identity = self._identity(request)
        path = f"/{request.match_info['path']}".removeprefix(_ROOT)
        account, _, field = path.removeprefix("instance/service-accounts/").partition("/")
        if path.startswith("instance/service-accounts/") and account in ("default", identity.email):
            return self._account(identity, field, recursive=request.query.get("recursive") == "true")
        return _text(_values(identity).get(path))

    def _identity(self, request: web.Request) -> Identity:
        names = request.match_info
        found = self._clusters.identity(names["cluster"], names["namespace"], names["pod"])
        if found is None:
            raise web.HTTPNotFound(text="there is no such Pod\n", headers=_FLAVOR)
        return found

    def _account(self, identity: Identity, field: str, *, recursive: bool) -> web.Response:
        if field == "token":
            text, seconds = self._world.principals.token(identity.principal)
            return _json({"access_token": text, "expires_in": seconds, "token_type": "Bearer"})
        if not field and recursive:
            return _json({"aliases": ["default"], "email": identity.email, "scopes": _SCOPES})
        listed = {"": "aliases\nemail\nscopes\ntoken\n", "aliases": "default\n", "email": identity.email}
        return _text((listed | {"scopes": "\n".join(_SCOPES) + "\n"}).get(field))


def _values(identity: Identity) -> dict[str, str]:
    return {
        "": "instance/\nproject/\n",
        "instance/": "service-accounts/\n",
        "instance/service-accounts/": f"default/\n{identity.email}/\n",
        "project/": "numeric-project-id\nproject-id\n",
        "project/project-id": identity.project,
        "project/numeric-project-id": project_number(identity.project),
        "universe/universe-domain": "googleapis.com",
    }


def _text(value: str | None) -> web.Response:
    if value is None:
        return web.Response(status=404, text="the rehearsal's metadata server does not have this\n")
    return web.Response(text=value, content_type="application/text")


def _json(value: dict[str, object]) -> web.Response:
    return web.json_response(value)
