"""P6 and P7, where the machines come from a reservation: the zone has the type, the reservation has room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runbook.doctor.preflight.check import Answer, Answers, failed, ok, warning
from runbook.doctor.preflight.quotas import quota
from runbook.doctor.preflight.reads import has_pool, of_kubeconfig, reachable
from runbook.steps.context import Context

NAME = re.compile(r"(projects/(?P<project>[^/]+)/reservations/)?(?P<name>[^/]+)(/reservationBlocks/.+)?")
VM_FAMILY = "VM_FAMILY_CLOUD_TPU_POD_SLICE_{family}"
"""How an aggregate reservation calls the machines, with the machine family in capitals."""


@dataclass(frozen=True)
class Reservation:
    """The name of a reservation.

    Args:
        project: its owner.
        name: in that project and a zone.
    """

    project: str
    name: str

    @classmethod
    def of(cls, text: str, project: str) -> Reservation:
        """Read a name, or the full path of another project's reservation.

        Args:
            text: `node_pool.reservation`.
            project: the owner where the text names none.
        """
        found = NAME.fullmatch(text)
        if found is None:
            return cls(project, text)
        return cls(found["project"] or project, found["name"])


def machine_type(context: Context) -> Answers:
    """P6: the zone has the machine type."""
    variables = context.variables
    if of_kubeconfig(context):
        yield ok("provider is kubeconfig: no machine is asked for")
        return
    name = variables.tpu.machine_type
    if context.connections.compute.machine_type(variables.project, variables.zone, name) is None:
        known = ", ".join(variables.tpu.zones)
        yield failed(f"{variables.zone} has no {name}", f"set zone to one that has it; known are {known}")
        return
    yield ok(f"{variables.zone} has {name}")


def machines(context: Context) -> Answers:
    """P7: the reservation, or the quota, has room for the nodes that are yet to be made."""
    if of_kubeconfig(context):
        yield ok("provider is kubeconfig: no machine is asked for")
        return
    if reachable(context) and has_pool(context):
        yield ok("the TPU nodes have their machines")
        return
    if context.variables.node_pool.capacity != "reservation":
        yield from quota(context)
        return
    yield from _reservation(context)


def _reservation(context: Context) -> Answers:
    variables = context.variables
    wanted = Reservation.of(variables.node_pool.reservation, variables.project)
    held = context.connections.compute.reservation(wanted.project, variables.zone, wanted.name)
    if held is None:
        yield _not_there(context, wanted)
        return
    problems = list(_problems(context, held))
    if problems:
        yield from problems
        return
    yield ok(f"{wanted.name}: {_free(held)} of {_count(held)} {_unit(held)} are free")


def _not_there(context: Context, wanted: Reservation) -> Answer:
    zone = context.variables.zone
    elsewhere = context.connections.compute.reservation_zones(wanted.project, wanted.name)
    fact = f"project {wanted.project} has no reservation {wanted.name} in {zone}"
    if elsewhere:
        return failed(f"{fact}; it is in {', '.join(elsewhere)}", f"set zone to {elsewhere[0]}")
    listing = f"gcloud compute reservations list --project={wanted.project}"
    return failed(fact, f"look at its name: {listing}; or set node_pool.capacity to another source")


def _problems(context: Context, held: dict[str, Any]) -> Iterator[Answer]:
    name, status = held["name"], held.get("status")
    if status != "READY":
        yield failed(f"{name} has status {status}", "wait until it is READY, or choose another")
    yield from _other_machines(context, held)
    needed = _needed(context, held)
    if _free(held) < needed:
        yield failed(
            f"{name} has {_free(held)} of {_count(held)} {_unit(held)} free, and {needed} are needed",
            "free some, have it enlarged, or set node_pool.capacity to on-demand, spot or flex-start",
        )
    if not held.get("specificReservationRequired"):
        yield warning(
            f"{name} is not kept for those who name it: any machine that fits may take from it",
            "make one with --require-specific-reservation",
        )


def _other_machines(context: Context, held: dict[str, Any]) -> Iterator[Answer]:
    machine = context.variables.tpu.machine_type
    if "aggregateReservation" in held:
        family = held["aggregateReservation"].get("vmFamily")
        expected = VM_FAMILY.format(family=machine.partition("-")[0].upper())
        if family != expected:
            yield failed(f"{held['name']} is of {family}, not of {expected}", "choose a reservation of TPU7x")
        return
    found = held.get("specificReservation", {}).get("instanceProperties", {}).get("machineType")
    if found != machine:
        yield failed(
            f"{held['name']} holds {found}, not {machine}", "choose a reservation of that machine type"
        )


def _needed(context: Context, held: dict[str, Any]) -> int:
    """Count what the node pool takes: machines, or chips of an aggregate reservation."""
    nodes, chips = context.variables.node_pool.nodes, context.variables.tpu.chips
    return nodes * chips if "aggregateReservation" in held else nodes


def _unit(held: dict[str, Any]) -> str:
    return "chips" if "aggregateReservation" in held else "machines"


def _count(held: dict[str, Any]) -> int:
    """Count what is reserved; int64 comes as text."""
    if "aggregateReservation" in held:
        return _chips(held["aggregateReservation"].get("reservedResources", []))
    return int(held.get("specificReservation", {}).get("count", "0"))


def _free(held: dict[str, Any]) -> int:
    if "aggregateReservation" in held:
        return _count(held) - _chips(held["aggregateReservation"].get("inUseResources", []))
    return _count(held) - int(held.get("specificReservation", {}).get("inUseCount", "0"))


def _chips(resources: list[dict[str, Any]]) -> int:
    return sum(int(resource.get("accelerator", {}).get("acceleratorCount", 0)) for resource in resources)
