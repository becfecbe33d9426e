"""Machine types: what a Node of each can hold."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rehearsal.front.errors import GoogleError
from rehearsal.gke.locations import TPU7X_ZONES

MEMORY_GIB_PER_CPU = {"standard": 4, "highmem": 8, "highcpu": 1}
SHARED_CORE = {"e2-micro": (2, 1), "e2-small": (2, 2), "e2-medium": (2, 4)}
"""vCPUs and GiB of the machine types without a number (Compute Engine, E2 shared-core)."""
FAMILIES = ("c2", "c2d", "c3", "c3d", "c4", "c4a", "c4d", "e2", "n1", "n2", "n2d", "n4", "t2a", "t2d")


@dataclass(frozen=True)
class MachineType:
    """One machine type.

    Args:
        name: as in the API.
        cpus: vCPUs.
        memory_gib: memory in GiB.
        tpu_chips: chips on one machine; 0 = none.
        tpu_accelerator: the value of the Node label cloud.google.com/gke-tpu-accelerator.
        tpu_topology: of one machine alone.
    """

    name: str
    cpus: int
    memory_gib: int
    tpu_chips: int = 0
    tpu_accelerator: str = ""
    tpu_topology: str = ""


TPU_MACHINE_TYPES = {
    "tpu7x-standard-1t": MachineType("tpu7x-standard-1t", 56, 240, 1, "tpu7x", "1x1x1"),
    "tpu7x-standard-4t": MachineType("tpu7x-standard-4t", 224, 960, 4, "tpu7x", "2x2x1"),
}


def machine_type(name: str, zone: str) -> MachineType:
    """Look a machine type up in a zone.

    Raises:
        GoogleError: 400, the zone does not have it.
    """
    found = TPU_MACHINE_TYPES.get(name) or _general_purpose(name)
    if found is None or (found.tpu_chips and zone not in TPU7X_ZONES):
        raise GoogleError(400, f"Machine type with name '{name}' does not exist in zone '{zone}'.")
    return found


def chips_of(name: str) -> int:
    """Count the TPU chips of a machine type."""
    return TPU_MACHINE_TYPES[name].tpu_chips if name in TPU_MACHINE_TYPES else 0


def _general_purpose(name: str) -> MachineType | None:
    """Read vCPUs and memory from a name such as e2-standard-8."""
    if name in SHARED_CORE:
        return MachineType(name, *SHARED_CORE[name])
    parts = re.fullmatch(r"([a-z0-9]+)-(standard|highmem|highcpu)-(\d+)", name)
    if not parts or parts[1] not in FAMILIES:
        return None
    cpus = int(parts[3])
    return MachineType(name, cpus, cpus * MEMORY_GIB_PER_CPU[parts[2]])
