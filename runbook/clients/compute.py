"""Compute Engine as far as a preflight asks it: machine types, reservations, quotas and Cloud NAT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from runbook.clients.endpoints import Endpoints
from runbook.clients.google_errors import passing_troubles, refuse
from runbook.clients.transport import TIMEOUT, decoded
from runbook.engine.errors import MissingError, Place

Resource = dict[str, Any]
"""A resource as the API answers it; int64 as strings."""

PAGE_SIZE = "500"


class Compute:
    """Compute Engine (v1), and Cloud Quotas (v1) for the quotas that have dimensions.

    Args:
        session: an authorised session that retries reads.
        endpoints: where the services answer.
    """

    def __init__(self, session: requests.Session, endpoints: Endpoints) -> None:
        self._session = session
        self._base = f"{endpoints.compute}/compute/v1/projects"
        self._quotas = f"{endpoints.quotas}/v1/projects"

    def machine_type(self, project: str, zone: str, name: str) -> Resource | None:
        """Read a machine type; None where the zone does not have it."""
        return self._find(f"{self._base}/{project}/zones/{zone}/machineTypes/{name}")

    def reservation(self, project: str, zone: str, name: str) -> Resource | None:
        """Read a reservation; None where the zone has none of that name."""
        return self._find(f"{self._base}/{project}/zones/{zone}/reservations/{name}")

    def reservation_zones(self, project: str, name: str) -> list[str]:
        """Name the zones that have a reservation of that name."""
        url = f"{self._base}/{project}/aggregated/reservations"
        found = [scope for page in self._pages(url, {"filter": f"name={name}"}) for scope in _scopes(page)]
        return sorted(scope.rpartition("/")[2] for scope in found)

    def has_nat(self, project: str, region: str, network: str) -> bool:
        """Tell whether a router of a region gives a network's private nodes a way out.

        Args:
            network: its name, or its full path.
        """
        name = network.rpartition("/")[2]
        url = f"{self._base}/{project}/regions/{region}/routers"
        pages = self._pages(url, {"filter": f'network eq ".*/networks/{name}"'})
        return any(router.get("nats") for page in pages for router in page.get("items", []))

    def quotas(self, project: str) -> list[Resource]:
        """Read all quotas of Compute Engine with their values by region and other dimensions (QuotaInfo)."""
        url = f"{self._quotas}/{project}/locations/global/services/compute.googleapis.com/quotaInfos"
        pages = self._pages(url, {"pageSize": PAGE_SIZE})
        return [info for page in pages for info in page.get("quotaInfos", [])]

    def _find(self, url: str) -> Resource | None:
        try:
            return self._get(url, {})
        except MissingError:
            return None

    def _pages(self, url: str, query: Mapping[str, str]) -> Iterator[Resource]:
        token = ""
        while True:
            page = self._get(url, {**query, **({"pageToken": token} if token else {})})
            yield page
            token = page.get("nextPageToken", "")
            if not token:
                return

    def _get(self, url: str, query: Mapping[str, str]) -> Resource:
        with passing_troubles(Place(f"GET {url}")):
            response = self._session.get(url, params=query, timeout=TIMEOUT)
        if not response.ok:
            refuse(response, supplied_by="auth.login")
        return decoded(response)


def _scopes(page: Resource) -> list[str]:
    items: dict[str, Resource] = page.get("items", {})
    return [scope for scope, held in items.items() if held.get("reservations")]
