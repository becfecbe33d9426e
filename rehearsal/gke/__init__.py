"""GKE's REST API v1: clusters, node pools and their operations."""

from rehearsal.gke.routes import add_routes
from rehearsal.gke.service import Gke

__all__ = ["Gke", "add_routes"]
