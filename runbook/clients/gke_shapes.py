"""Where a new cluster stands in the network, and who reaches its control plane: fields and gcloud flags.

Facts: the fields are those of the official schema (container v1), and equal what gcloud 528 sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Endpoint = Literal["ip", "dns", "private"]


@dataclass(frozen=True)
class Shape:
    """A cluster's place in the network; what is left out is Google's choice.

    Args:
        endpoint: the one way to the control plane: its public address, its DNS name, or one inside the VPC.
        network: a name, or projects/HOST/global/networks/NAME.
        subnetwork: a name, or projects/HOST/regions/REGION/subnetworks/NAME.
        pod_range: the subnetwork's secondary range for Pods.
        service_range: the subnetwork's secondary range for Services.
        private_nodes: whether nodes have no public address; a private endpoint wants that too.
    """

    endpoint: Endpoint = "ip"
    network: str | None = None
    subnetwork: str | None = None
    pod_range: str | None = None
    service_range: str | None = None
    private_nodes: bool = False

    @property
    def hides_nodes(self) -> bool:
        """Tell whether nodes have no public address."""
        return self.private_nodes or self.endpoint == "private"

    def fields(self, *, autopilot: bool) -> dict[str, Any]:
        """Give the fields of Cluster, but for networkConfig."""
        fields: dict[str, Any] = {"network": self.network, "subnetwork": self.subnetwork}
        if self._needs_ip_alias or autopilot:
            fields["ipAllocationPolicy"] = {
                "createSubnetwork": False,
                "useIpAliases": True,
                **_given({"clusterSecondaryRangeName": self.pod_range}),
                **_given({"servicesSecondaryRangeName": self.service_range}),
            }
        fields["controlPlaneEndpointsConfig"] = _ENDPOINTS[self.endpoint]
        return _given(fields)

    def network_config(self) -> dict[str, Any]:
        """Give the fields of Cluster.networkConfig."""
        return {"defaultEnablePrivateNodes": True} if self.hides_nodes else {}

    def flags(self, *, autopilot: bool) -> list[str]:
        """Give the flags of `gcloud container clusters create`, or create-auto."""
        named = {
            "--network": self.network,
            "--subnetwork": self.subnetwork,
            "--cluster-secondary-range-name": self.pod_range,
            "--services-secondary-range-name": self.service_range,
        }
        return [
            *(["--enable-ip-alias"] if self._needs_ip_alias and not autopilot else []),
            *(f"{flag}={value}" for flag, value in _given(named).items()),
            *(["--enable-private-nodes"] if self.hides_nodes else []),
            *_ENDPOINT_FLAGS[self.endpoint],
        ]

    @property
    def _needs_ip_alias(self) -> bool:
        """gcloud asks for the flag wherever one of these is given; GKE's clusters are VPC-native anyway."""
        return bool(self.hides_nodes or self.pod_range or self.service_range)


PLAIN = Shape()
"""A cluster in the project's default network, reached by its public address."""

_ENDPOINTS: Mapping[Endpoint, Mapping[str, Any]] = {
    "ip": {},
    "dns": {
        "dnsEndpointConfig": {"allowExternalTraffic": True},
        "ipEndpointsConfig": {"enabled": False},
    },
    "private": {"ipEndpointsConfig": {"enablePublicEndpoint": False}},
}
_ENDPOINT_FLAGS: Mapping[Endpoint, tuple[str, ...]] = {
    "ip": (),
    "dns": ("--enable-dns-access", "--no-enable-ip-access"),
    "private": ("--enable-private-endpoint",),
}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
