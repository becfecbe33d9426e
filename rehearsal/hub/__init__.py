"""The Hugging Face hub and the CDN to which it redirects."""

from __future__ import annotations

from aiohttp import web

from rehearsal.hub import cdn, made
from rehearsal.hub.api import Api
from rehearsal.hub.repositories import Repositories
from rehearsal.hub.resolve import Resolve
from rehearsal.world import World

__all__ = ["applications"]


def applications(world: World) -> tuple[web.Application, web.Application]:
    """Build the hub and its CDN; the repositories are made on their first use.

    Args:
        world: the hub reads the CDN's address from its `endpoints.json`; its token signs the CDN's URLs, its
            database remembers the hashes of made weights.
    Returns:
        the hub's application and the CDN's, each for a listener of its own.
    """
    repositories = Repositories(world.home / "hub", world.database.collection(f"hub.made-{made.RECIPE}"))
    signer = cdn.Signer(world)
    hub_app, cdn_app = web.Application(), web.Application()
    Api(repositories).add_routes(hub_app)
    Resolve(repositories, signer, world.home / "endpoints.json").add_routes(hub_app)
    cdn.add_routes(cdn_app, repositories, signer)
    return hub_app, cdn_app
