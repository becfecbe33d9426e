"""Sections 2 and 3.1: cluster, node pool, TPU and bucket."""

from typing import Annotated, Literal

from pydantic import Field

from runbook.config.types import (
    BucketLocation,
    BucketName,
    ClusterLocation,
    Count,
    GkeName,
    GkeVersion,
    Group,
    Reservation,
    Role,
    Text,
    Topology,
    WholeSeconds,
    Zone,
)

Zones = Annotated[tuple[Zone, ...], Field(strict=False)]


class Cluster(Group):
    """The GKE cluster, sections 2.2 and 2.3."""

    name: GkeName = Field(description="name of the GKE cluster (guide: CLUSTER_NAME)")
    location: ClusterLocation = Field(description="region or zone of the control plane; null: region")
    release_channel: Literal["rapid", "regular", "stable", "extended"] = Field(
        description="release channel of a new cluster"
    )
    gateway_api: bool = Field(
        description="whether 2.3.3 turns the Gateway API on; only for the inference gateway"
    )
    system_machine_type: Text = Field(
        description="machine type of the nodes that run everything but the TPU server; the benchmark must fit"
    )
    system_nodes: Count = Field(description="system nodes of a new cluster, in each of system_zones")
    system_zones: Zones = Field(
        description="zones of the system nodes of a new cluster; null: zone. GKE alone would take three zones"
    )
    timeout_s: WholeSeconds = Field(
        description="how long to wait for one operation on the cluster, in seconds"
    )


class NodePool(Group):
    """The TPU node pool, section 2.4."""

    name: GkeName = Field(description="name of the TPU node pool (guide: NODEPOOL_NAME)")
    nodes: Count = Field(description="TPU nodes")
    capacity: Literal["reservation", "on-demand", "spot", "flex-start"] = Field(
        description="where the TPU machines come from; each asks for its own quota"
    )
    reservation: Reservation = Field(
        description="the reservation, where capacity is reservation (guide: RESERVATION_NAME)"
    )
    timeout_s: WholeSeconds = Field(
        description="how long to wait for one operation on the node pool, and for its nodes, in seconds"
    )


class Tpu(Group):
    """What a TPU node is; from the hardware file."""

    machine_type: Text = Field(description="machine type of a TPU node")
    accelerator: Text = Field(description="value of the node label cloud.google.com/gke-tpu-accelerator")
    topology: Topology = Field(description="value of the node label cloud.google.com/gke-tpu-topology")
    chips: Count = Field(description="TPU chips of a node: what the server asks for as google.com/tpu")
    cores_per_chip: Count = Field(description="TensorCores of a chip, each a device of its own")
    multi_host: bool = Field(
        description="whether a slice spans nodes; a single-host node pool must not be given its topology"
    )
    minimum_version: GkeVersion = Field(description="oldest GKE version that knows the machine type")
    zones: Zones = Field(description="zones known to have it; another zone is only warned about")


class Bucket(Group):
    """The bucket that holds the model, sections 3.1 and 3.3."""

    name: BucketName = Field(description="name of the bucket, without gs://")
    location: BucketLocation = Field(
        description="location of a new bucket; null: region, as the model loads slowly from afar"
    )
    hierarchical_namespace: bool = Field(description="whether a new bucket has real folders")
    role: Role = Field(
        description="IAM role that 3.3 grants to the server; roles/storage.objectUser where it also writes"
    )
