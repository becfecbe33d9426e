"""Reservations as GKE meets them: node pools take machines of them, or are refused for lack of machines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.front.errors import GoogleError
from rehearsal.gke.machines import chips_of
from rehearsal.gke.names import ClusterName
from rehearsal.gke.records import ClusterRecord
from rehearsal.project_facts import ProjectFacts, Reservation

KEY = "compute.googleapis.com/reservation-name"
SHORT = (
    'Reservation does not have enough resources for the request: specific reservation "{reservation}" is'
    ' insufficient for node pool "{pool}" at zone "{zone}": required {required} and short of {short} VM count'
    " of machine type {machine_type}."
)


def machines_in_use(records: Iterable[ClusterRecord], project: str, zone: str, name: str) -> int:
    """Count the machines of a reservation that node pools have.

    Args:
        records: all clusters.
        project: the reservation's owner.
        zone: where it is.
        name: its name.
    """
    return sum(
        pool.size
        for record in records
        for pool in record.pools.values()
        if pool.nodes_exist
        and zone in pool.node_pool["locations"]
        and _named(pool.node_pool, record.name.project) == (project, name)
    )


def check_room(
    facts: ProjectFacts, records: Iterable[ClusterRecord], cluster: ClusterName, pool: dict[str, Any]
) -> None:
    """Refuse a node pool whose reservation has too few unused machines of its type.

    Raises:
        GoogleError: 429; 400 where there is no such reservation.
    """
    named = _named(pool, cluster.project)
    if named is None:
        return
    project, name = named
    found = facts.reservations.get(name, Reservation())
    required = pool["initialNodeCount"]
    known = list(records)
    for zone in pool["locations"]:
        if found.missing or found.zone not in ("", zone):
            raise GoogleError(400, f'Reservation "{name}" does not exist in zone "{zone}".')
        used = machines_in_use(known, project, zone, name)
        free = _free_machines(found, pool["config"]["machineType"]) - used
        if free < required:
            short = {"required": required, "short": required - max(free, 0)}
            place = {"reservation": name, "pool": pool["name"], "zone": zone}
            message = SHORT.format(**place, **short, machine_type=pool["config"]["machineType"])
            raise GoogleError(429, message)


def _free_machines(found: Reservation, machine_type: str) -> int:
    """Count the machines that nobody outside of the stand-in's node pools has."""
    free = found.count - found.in_use
    if found.status != "READY":
        return 0
    if found.vm_family:
        family = found.vm_family.rpartition("_")[2].lower()
        return free // max(chips_of(machine_type), 1) if machine_type.startswith(family) else 0
    return free if found.machine_type == machine_type else 0


def _named(pool: dict[str, Any], project: str) -> tuple[str, str] | None:
    """Tell which reservation a node pool names: its owner, and its name there."""
    affinity = pool["config"].get("reservationAffinity", {})
    if affinity.get("key") != KEY or not affinity.get("values"):
        return None
    path = affinity["values"][0].split("/")
    if path[0] == "projects" and len(path) > 3:
        return path[1], path[3]
    return project, path[0]
