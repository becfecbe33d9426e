"""Names, numbers and links of resources."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from rehearsal.front.errors import GoogleError

API = "https://container.googleapis.com/v1"
NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")


def short_hash(text: str, length: int = 8) -> str:
    """Return some hexadecimal digits that belong to a text, as GKE's names of nodes have them."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def check_name(kind: str, name: str) -> None:
    """Refuse a name that GKE refuses (API fields Cluster.name and NodePool.name).

    Raises:
        GoogleError: 400.
    """
    if not NAME.fullmatch(name):
        rule = "a lowercase letter, then up to 39 lowercase letters, numbers and hyphens, the last no hyphen"
        raise GoogleError(400, f'Invalid {kind} name "{name}": it must be {rule}.')


@dataclass(frozen=True)
class ClusterName:
    """A cluster's place in the API."""

    project: str
    location: str
    cluster: str

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.location}/clusters/{self.cluster}"

    @classmethod
    def parse(cls, key: str) -> ClusterName:
        """Read projects/P/locations/L/clusters/C."""
        _, project, _, location, _, cluster = key.split("/")
        return cls(project, location, cluster)

    def node_pool(self, name: str) -> str:
        """Return the resource name of one of its node pools."""
        return f"{self}/nodePools/{name}"
