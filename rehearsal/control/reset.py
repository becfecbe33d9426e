"""Back to an empty cloud."""

from __future__ import annotations

from rehearsal.control.kubeconfig import remove_kubeconfigs
from rehearsal.gke import Gke
from rehearsal.kube.told import Told
from rehearsal.world import World


async def reset(world: World, gke: Gke) -> None:
    """Forget all that the cloud holds and all that it was told; token, ports and settings stay."""
    await gke.forget()
    world.database.erase("storage.")
    Told(world.database).forget()
    remove_kubeconfigs(world.database)
    for path in (world.home / "storage").rglob("*"):
        if path.is_file():
            path.unlink()
    world.faults.clear()
    world.project.clear()
    world.requests.clear()
