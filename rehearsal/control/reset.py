"""Back to an empty cloud."""

from __future__ import annotations

from rehearsal.gke import Gke
from rehearsal.world import World


async def reset(world: World, gke: Gke) -> None:
    """Forget clusters, Pods, buckets, objects, faults and requests; token, ports and settings stay."""
    await gke.forget()
    world.database.erase("storage.")
    for path in (world.home / "storage").rglob("*"):
        if path.is_file():
            path.unlink()
    world.faults.clear()
    world.requests.clear()
