"""GKE's REST paths (projects.locations.*)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rehearsal.gke.locations import check_location
from rehearsal.gke.names import ClusterName
from rehearsal.gke.operations import Operation
from rehearsal.gke.records import shown
from rehearsal.gke.service import Gke
from rehearsal.gke.validation import validated
from rehearsal.gke.versions import server_config
from rehearsal.world import World

LOCATION = "/v1/projects/{project}/locations/{location}"
CLUSTER = LOCATION + "/clusters/{cluster:[^:/]+}"
NODE_POOL = CLUSTER + "/nodePools/{node_pool:[^:/]+}"
OPERATION = LOCATION + "/operations/{operation:[^:/]+}"

Method = Callable[[web.Request], Awaitable[dict[str, Any]]]


def add_routes(app: web.Application, world: World, gke: Gke) -> None:
    """Let an application answer GKE's API.

    Args:
        app: the application of the google port.
        world: the stand-in.
        gke: what answers.
    """
    api = Api(world, gke)
    routes: list[tuple[str, str, Method]] = [
        ("GET", LOCATION + "/serverConfig", api.get_server_config),
        ("GET", LOCATION + "/clusters", api.list_clusters),
        ("POST", LOCATION + "/clusters", api.create_cluster),
        ("GET", CLUSTER, api.get_cluster),
        ("PUT", CLUSTER, api.update_cluster),
        ("DELETE", CLUSTER, api.delete_cluster),
        ("GET", CLUSTER + "/nodePools", api.list_node_pools),
        ("POST", CLUSTER + "/nodePools", api.create_node_pool),
        ("GET", NODE_POOL, api.get_node_pool),
        ("PUT", NODE_POOL, api.update_node_pool),
        ("DELETE", NODE_POOL, api.delete_node_pool),
        ("POST", NODE_POOL + ":setSize", api.set_node_pool_size),
        ("GET", LOCATION + "/operations", api.list_operations),
        ("GET", OPERATION, api.get_operation),
        ("POST", OPERATION + ":cancel", api.cancel_operation),
    ]
    for verb, path, method in routes:
        app.router.add_route(verb, path, api.handler(method))


class Api:
    """GKE's methods as HTTP handlers; each returns the answer's body."""

    def __init__(self, world: World, gke: Gke) -> None:
        self._world = world
        self._gke = gke

    def handler(self, method: Method) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Wrap a method: operations that are due end before it looks."""

        async def handle(request: web.Request) -> web.Response:
            await self._gke.operations.settle()
            return web.json_response(await method(request))

        return handle

    async def get_server_config(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.getServerConfig."""
        check_location(request.match_info["location"])
        return server_config()

    async def list_clusters(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.list; the location "-" means all."""
        project, location = request.match_info["project"], request.match_info["location"]
        found = [
            record.shown()
            for record in self._gke.records
            if record.name.project == project and location in ("-", record.name.location)
        ]
        return {"clusters": found} if found else {}

    async def create_cluster(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.create."""
        cluster = validated("CreateClusterRequest", await request.text()).get("cluster", {})
        project, location = request.match_info["project"], request.match_info["location"]
        name = ClusterName(project, location, cluster.get("name", ""))
        return self._shown(self._gke.create_cluster(name, cluster, self._failure(request)))

    async def get_cluster(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.get."""
        return self._gke.records.get(_cluster(request)).shown()

    async def update_cluster(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.update."""
        update = validated("UpdateClusterRequest", await request.text()).get("update", {})
        return self._shown(self._gke.update_cluster(_cluster(request), update, self._failure(request)))

    async def delete_cluster(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.delete."""
        return self._shown(self._gke.delete_cluster(_cluster(request), self._failure(request)))

    async def list_node_pools(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.nodePools.list."""
        pools = self._gke.own_node_pools(_cluster(request)).pools.values()
        return {"nodePools": [shown(pool.node_pool) for pool in pools]} if pools else {}

    async def create_node_pool(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.nodePools.create."""
        pool = validated("CreateNodePoolRequest", await request.text()).get("nodePool", {})
        return self._shown(self._gke.create_node_pool(_cluster(request), pool, self._failure(request)))

    async def get_node_pool(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.nodePools.get."""
        pool = self._gke.own_node_pools(_cluster(request)).pool(request.match_info["node_pool"])
        return dict(shown(pool.node_pool))

    async def update_node_pool(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.nodePools.update."""
        update = validated("UpdateNodePoolRequest", await request.text())
        pool = request.match_info["node_pool"]
        return self._shown(
            self._gke.update_node_pool(_cluster(request), pool, update, self._failure(request))
        )

    async def delete_node_pool(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.nodePools.delete."""
        pool = request.match_info["node_pool"]
        return self._shown(self._gke.delete_node_pool(_cluster(request), pool, self._failure(request)))

    async def set_node_pool_size(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.clusters.nodePools.setSize."""
        count = validated("SetNodePoolSizeRequest", await request.text()).get("nodeCount", 0)
        pool = request.match_info["node_pool"]
        return self._shown(self._gke.set_size(_cluster(request), pool, count, self._failure(request)))

    async def list_operations(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.operations.list; the location "-" means all."""
        match = request.match_info
        found = self._gke.operations.list(match["project"], match["location"])
        return {"operations": [self._shown(operation) for operation in found]} if found else {}

    async def get_operation(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.operations.get."""
        return self._shown(self._gke.operations.get(_operation(request)))

    async def cancel_operation(self, request: web.Request) -> dict[str, Any]:
        """projects.locations.operations.cancel."""
        await self._gke.operations.cancel(_operation(request))
        return {}

    def _shown(self, operation: Operation) -> dict[str, Any]:
        return operation.shown(self._world.settings.time_scale)

    def _failure(self, request: web.Request) -> str:
        """Return the message with which the operator wants this request's operation to end."""
        return self._world.faults.take_operation_error("container", request.method, request.path_qs) or ""


def _cluster(request: web.Request) -> ClusterName:
    match = request.match_info
    return ClusterName(match["project"], match["location"], match["cluster"])


def _operation(request: web.Request) -> str:
    match = request.match_info
    return f"projects/{match['project']}/locations/{match['location']}/operations/{match['operation']}"
