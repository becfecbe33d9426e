"""The GKE API over REST: reads, writes and operations. The official schema is container v1."""

from __future__ import annotations

from typing import Any

import requests

from runbook.clients.gke_requests import GkeRequest
from runbook.clients.google_errors import passing_troubles, refuse
from runbook.clients.transport import TIMEOUT, decoded
from runbook.engine.errors import Place

Resource = dict[str, Any]
"""A resource as the API answers it: the names of the official schema, int64 as strings, false left out."""

SUPPLIED_BY = "gke.cluster"


class Gke:
    """The GKE API of one base address.

    Args:
        session: an authorised session that retries reads.
        base: such as https://container.googleapis.com.
    """

    def __init__(self, session: requests.Session, base: str) -> None:
        self._session = session
        self._base = f"{base}/v1"

    def cluster(self, project: str, location: str, name: str) -> Resource | None:
        """Read one cluster with its node pools; None where there is none.

        Raises:
            RunbookError: the API refused, or was not reached.
        """
        return self._get(f"projects/{project}/locations/{location}/clusters/{name}")

    def clusters(self, project: str) -> list[Resource]:
        """Read all clusters of a project, in every location."""
        found = self._get(f"projects/{project}/locations/-/clusters") or {}
        clusters: list[Resource] = found.get("clusters", [])
        return clusters

    def operations(self, project: str, location: str) -> list[Resource]:
        """Read the location's operations, those that have ended not long ago too."""
        found = self._get(f"projects/{project}/locations/{location}/operations") or {}
        operations: list[Resource] = found.get("operations", [])
        return operations

    def operation(self, project: str, location: str, name: str) -> Resource | None:
        """Read one operation; None where the API does not know it any more."""
        return self._get(f"projects/{project}/locations/{location}/operations/{name}")

    def send(self, request: GkeRequest) -> Resource:
        """Send a write; it is never sent twice.

        Returns:
            the operation that carries it out.

        Raises:
            BusyError: another operation must end first.
            CapacityError: no quota, no stock, or too small a reservation.
            RunbookError: the API refused, or did not answer: then nobody knows whether it took the write.
        """
        url = f"{self._base}/{request.path}"
        with passing_troubles(Place(f"{request.method} {url}")):
            response = self._session.request(request.method, url, json=request.body, timeout=TIMEOUT)
        if not response.ok:
            refuse(response, supplied_by=SUPPLIED_BY)
        return decoded(response)

    def _get(self, path: str) -> Resource | None:
        url = f"{self._base}/{path}"
        with passing_troubles(Place(f"GET {url}")):
            response = self._session.get(url, timeout=TIMEOUT)
        if response.status_code == 404:
            return None
        if not response.ok:
            refuse(response, supplied_by=SUPPLIED_BY)
        return decoded(response)
