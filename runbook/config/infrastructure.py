"""Sections 2 and 3.1: cluster, node pool, TPU and bucket."""

from typing import Annotated, Literal

from pydantic import Field

from runbook.config.types import (
    BucketLocation,
    BucketName,
    ClusterLocation,
    Count,
    DnsLabel,
    GkeName,
    GkeVersion,
    Group,
    Network,
    Reservation,
    Role,
    ServiceAccount,
    Subnetwork,
    Text,
    Topology,
    WholeSeconds,
    Zone,
)

Zones = Annotated[tuple[Zone, ...], Field(strict=False)]


class Credentials(Group):
    """Who asks Google Cloud, section 1."""

    source: Literal["gcloud", "application-default", "token-file"] = Field(
        description="where tokens come from: gcloud's own login, application-default credentials, or a file"
    )
    impersonate: ServiceAccount | None = Field(
        description="service account in whose name everything is asked; null: the login's own"
    )
    token_file: Text | None = Field(
        description="file that holds a bearer token, for source token-file; it is read again every minute"
    )


class Cluster(Group):
    """The GKE cluster, sections 2.2 and 2.3."""

    name: GkeName = Field(description="name of the GKE cluster (guide: CLUSTER_NAME)")
    location: ClusterLocation = Field(description="region or zone of the control plane; null: region")
    mode: Literal["standard", "autopilot"] = Field(
        description="what a new cluster is, and how Pods ask for TPUs: autopilot makes nodes for Pods"
    )
    endpoint: Literal["ip", "dns", "private"] = Field(
        description="how the control plane is reached: its public address, its DNS name, or its address "
        "in the VPC network; a new cluster has no other"
    )
    network: Network | None = Field(
        description="VPC network of a new cluster; null: default. A shared one: its full path"
    )
    subnetwork: Subnetwork | None = Field(
        description="subnetwork of a new cluster; null: the region's of that network"
    )
    pod_range: DnsLabel | None = Field(
        description="the subnetwork's secondary range for Pods; null: GKE makes one"
    )
    service_range: DnsLabel | None = Field(
        description="the subnetwork's secondary range for Services; null: GKE makes one"
    )
    private_nodes: bool = Field(
        description="whether new nodes have no public address; the internet then needs Cloud NAT"
    )
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
    minimum_autopilot_version: GkeVersion = Field(description="the same for Autopilot clusters")
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
    posix_mount: Text | None = Field(
        description="empty folder of this machine where 3.2.1 mounts the bucket with gcsfuse; null: no need"
    )


Price = Annotated[float, Field(ge=0)] | None


class Prices(Group):
    """What things cost, by your own price list; the runbook knows no prices."""

    currency: Text | None = Field(description="currency of all prices, such as EUR; null: none is set")
    tpu_machine: Price = Field(
        description="one TPU node (tpu.machine_type) an hour, as node_pool.capacity is billed to you"
    )
    system_machine: Price = Field(description="one system node (cluster.system_machine_type) an hour")
    cluster: Price = Field(description="the management fee of a cluster an hour")
    storage_gib_month: Price = Field(description="one GiB in the bucket a month; a month counts as 730 hours")
    load_balancer: Price = Field(description="a load balancer's address an hour, without its traffic")
