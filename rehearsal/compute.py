"""Compute Engine v1, as far as a preflight asks it: machine types, reservations, Cloud NAT, quotas."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from rehearsal.front.errors import GoogleError, error_response
from rehearsal.gke import Gke
from rehearsal.gke.locations import TPU7X_ZONES, check_location
from rehearsal.gke.machines import chips_of, machine_type
from rehearsal.gke.reservations import machines_in_use
from rehearsal.project_facts import Reservation
from rehearsal.world import World

COMPUTE = "/compute/v1/projects/{project}"
QUOTAS = "/v1/projects/{project}/locations/global/services/compute.googleapis.com/quotaInfos"
SITE = "https://www.googleapis.com/compute/v1"
NAMED = re.compile(r"\(?name\s*(?:=|eq)\s*\"?([a-z0-9-]+)\"?\)?")
"""The one filter of an aggregated list that is understood: by name."""
OF_NETWORK = re.compile(r'network eq "\.\*/networks/([a-z0-9-]+)"')
"""The one filter of routers that is understood: by network."""

DEFAULT_QUOTAS = {
    "TPUS-PER-TPU-FAMILY-per-project-region": 64,
    "PREEMPTIBLE-TPU7X-per-project-region": 64,
}
"""Chips by quota id. The id of the second is made after the one of v6e; Google's own was not seen."""


def add_routes(app: web.Application, world: World, gke: Gke) -> None:
    """Let an application answer a little of Compute Engine v1, and its quotas (Cloud Quotas v1).

    Args:
        app: the application of the google port.
        world: the stand-in.
        gke: whose node pools use reservations.
    """
    api = Compute(world, gke)
    app.router.add_get(COMPUTE + "/zones/{zone}/reservations/{reservation}", api.get_reservation)
    app.router.add_get(COMPUTE + "/aggregated/reservations", api.list_reservations)
    app.router.add_get(COMPUTE + "/zones/{zone}/machineTypes/{machine_type}", get_machine_type)
    app.router.add_get(COMPUTE + "/regions/{region}/forwardingRules", list_forwarding_rules)
    app.router.add_get(COMPUTE + "/regions/{region}/routers", api.list_routers)
    app.router.add_get(QUOTAS, api.list_quotas)


class Compute:
    """The handlers that depend on what the operator told, or on the node pools."""

    def __init__(self, world: World, gke: Gke) -> None:
        self._told = world.project
        self._gke = gke

    async def get_reservation(self, request: web.Request) -> web.Response:
        """reservations.get."""
        project, zone, name = (request.match_info[key] for key in ("project", "zone", "reservation"))
        path = f"projects/{project}/zones/{zone}/reservations/{name}"
        denied = self._denied("compute.reservations.get", path)
        if denied:
            return denied
        found = self._told.now.reservations.get(name, Reservation())
        if found.missing or found.zone not in ("", zone):
            return error_response("compute", 404, f"The resource '{path}' was not found")
        return web.json_response(self._shown(project, zone, name, found))

    async def list_reservations(self, request: web.Request) -> web.Response:
        """reservations.aggregatedList: those that the operator told of."""
        project = request.match_info["project"]
        denied = self._denied("compute.reservations.list", f"projects/{project}")
        if denied:
            return denied
        wanted = NAMED.fullmatch(request.query.get("filter", ""))
        items: dict[str, Any] = {}
        for name, found in self._told.now.reservations.items():
            if found.missing or (wanted and wanted[1] != name):
                continue
            zone = found.zone or TPU7X_ZONES[0]
            scope = items.setdefault(f"zones/{zone}", {"reservations": []})
            scope["reservations"].append(self._shown(project, zone, name, found))
        return web.json_response({"kind": "compute#reservationAggregatedList", "items": items})

    async def list_routers(self, request: web.Request) -> web.Response:
        """routers.list: a router with a Cloud NAT, in the network that the filter asks for."""
        project, region = request.match_info["project"], request.match_info["region"]
        asked = OF_NETWORK.fullmatch(request.query.get("filter", ""))
        network = asked[1] if asked else "default"
        router = {
            "kind": "compute#router",
            "name": "nat-router",
            "network": f"{SITE}/projects/{project}/global/networks/{network}",
            "nats": [{"name": "nat", "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES"}],
        }
        items = [] if region in self._told.now.regions_without_nat else [router]
        return web.json_response({"kind": "compute#routerList", "items": items})

    async def list_quotas(self, request: web.Request) -> web.Response:
        """quotaInfos.list (Cloud Quotas v1) of Compute Engine: those of TPU7x."""
        project = request.match_info["project"]
        known = DEFAULT_QUOTAS | dict(self._told.now.quotas)
        infos = [_quota(project, name, chips) for name, chips in known.items()]
        return web.json_response({"quotaInfos": infos})

    def _denied(self, permission: str, path: str) -> web.Response | None:
        if permission not in self._told.now.denied_permissions:
            return None
        return error_response("compute", 403, f"Required '{permission}' permission for '{path}'")

    def _shown(self, project: str, zone: str, name: str, found: Reservation) -> dict[str, Any]:
        base = f"{SITE}/projects/{project}/zones/{zone}"
        used = machines_in_use(self._gke.records, project, zone, name)
        return {
            "kind": "compute#reservation",
            "name": name,
            "selfLink": f"{base}/reservations/{name}",
            "zone": base,
            "status": found.status,
            "specificReservationRequired": found.specific,
        } | (_chips(found, used) if found.vm_family else _machines(found, used))


def _machines(found: Reservation, used: int) -> dict[str, Any]:
    """Describe a reservation of machines; int64 is text."""
    machines = {
        "count": str(found.count),
        "inUseCount": str(min(found.in_use + used, found.count)),
        "assuredCount": str(found.count),
        "instanceProperties": {"machineType": found.machine_type},
    }
    return {"specificReservation": machines}


def _chips(found: Reservation, used: int) -> dict[str, Any]:
    """Describe an aggregate reservation: chips of one family, for machines of any size."""
    in_use = min(found.in_use + used * chips_of(found.machine_type), found.count)
    reserved, taken = ([{"accelerator": {"acceleratorCount": count}}] for count in (found.count, in_use))
    aggregate = {"vmFamily": found.vm_family, "workloadType": "SERVING"}
    return {"aggregateReservation": aggregate | {"reservedResources": reserved, "inUseResources": taken}}


async def get_machine_type(request: web.Request) -> web.Response:
    """machineTypes.get."""
    project, zone, name = (request.match_info[key] for key in ("project", "zone", "machine_type"))
    try:
        check_location(zone)
    except GoogleError:
        return error_response(
            "compute",
            400,
            f"Invalid value for field 'zone': '{zone}'. Unknown zone.",
        )
    path = f"projects/{project}/zones/{zone}/machineTypes/{name}"
    try:
        machine = machine_type(name, zone)
    except GoogleError:
        return error_response("compute", 404, f"The resource '{path}' was not found")
    size = {"guestCpus": machine.cpus, "memoryMb": machine.memory_gib * 1024}
    return web.json_response(
        {"kind": "compute#machineType", "name": name, "selfLink": f"{SITE}/{path}", "zone": zone} | size
    )


async def list_forwarding_rules(request: web.Request) -> web.Response:
    """forwardingRules.list: a stand-in has no load balancer's address."""
    project, region = request.match_info["project"], request.match_info["region"]
    name = f"projects/{project}/regions/{region}/forwardingRules"
    return web.json_response({"kind": "compute#forwardingRuleList", "id": name, "items": []})


def _quota(project: str, name: str, chips: int) -> dict[str, Any]:
    """Describe a quota as Cloud Quotas does: the value is a string, by region and maybe by TPU family."""
    family = {"tpu_family": "TPU7X"} if "FAMILY" in name else {}
    regions = sorted({zone.rsplit("-", 1)[0] for zone in TPU7X_ZONES})
    return {
        "name": f"projects/{project}/locations/global/services/compute.googleapis.com/quotaInfos/{name}",
        "quotaId": name,
        "service": "compute.googleapis.com",
        "isPrecise": True,
        "containerType": "PROJECT",
        "dimensions": ["region", *family],
        "dimensionsInfos": [
            {
                "dimensions": {"region": region} | family,
                "details": {"value": str(chips)},
                "applicableLocations": [region],
            }
            for region in regions
        ],
    }
