"""Projects: their numbers and the APIs that are enabled in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests

from runbook.clients.endpoints import Endpoints
from runbook.clients.google_errors import passing_troubles, refuse
from runbook.clients.transport import TIMEOUT, decoded
from runbook.engine.errors import Place


class Projects:
    """Cloud Resource Manager (v1) and Service Usage (v1).

    Args:
        session: an authorised session that retries reads.
        endpoints: where the services answer.
    """

    def __init__(self, session: requests.Session, endpoints: Endpoints) -> None:
        self._session = session
        self._endpoints = endpoints

    def number(self, project: str) -> str:
        """Read the number of a project; IAM principals are written with it.

        Raises:
            CredentialsError: the project is not there, or this login may not see it.
        """
        found = self._get(f"{self._endpoints.resource_manager}/v1/projects/{project}", [])
        return str(found["projectNumber"])

    def disabled(self, project: str, apis: Sequence[str]) -> list[str]:
        """Tell which of the APIs are not enabled in a project.

        Args:
            project: the project's ID.
            apis: names such as container.googleapis.com, 30 at most.
        """
        names = [("names", f"projects/{project}/services/{api}") for api in apis]
        url = f"{self._endpoints.service_usage}/v1/projects/{project}/services:batchGet"
        services = self._get(url, names).get("services", [])
        enabled = {
            service["name"].rpartition("/")[2] for service in services if service.get("state") == "ENABLED"
        }
        return [api for api in apis if api not in enabled]

    def lacking(self, project: str, permissions: Sequence[str]) -> list[str]:
        """Tell which permissions this login lacks in a project.

        Args:
            project: the project's ID.
            permissions: such as container.clusters.update, 100 at most.
        """
        url = f"{self._endpoints.resource_manager}/v1/projects/{project}:testIamPermissions"
        with passing_troubles(Place(f"POST {url}")):
            response = self._session.post(url, json={"permissions": list(permissions)}, timeout=TIMEOUT)
        if not response.ok:
            refuse(response, supplied_by="auth.login")
        granted = decoded(response).get("permissions", [])
        return [permission for permission in permissions if permission not in granted]

    def forwarding_rules(self, project: str, region: str) -> list[dict[str, Any]]:
        """Read a region's load balancer addresses (Compute Engine's forwarding rules)."""
        url = f"{self._endpoints.compute}/compute/v1/projects/{project}/regions/{region}/forwardingRules"
        rules: list[dict[str, Any]] = self._get(url, []).get("items", [])
        return rules

    def _get(self, url: str, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
        with passing_troubles(Place(f"GET {url}")):
            response = self._session.get(url, params=list(query), timeout=TIMEOUT)
        if not response.ok:
            refuse(response, supplied_by="auth.login")
        return decoded(response)
