"""A cloud for the steps of section 2, one with a server's needs for the others, and a hub."""

from __future__ import annotations

from tests.hub.conftest import hub_url
from tests.steps_gke.conftest import shared_cloud, work
from tests.steps_kube.conftest import deployed, place, prepared

__all__ = ["deployed", "hub_url", "place", "prepared", "shared_cloud", "work"]
