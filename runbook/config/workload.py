"""Sections 3.2 to 4.5: the checkpoint, its way into the bucket, its mount, the server and the smoke test."""

from typing import Annotated, Literal

from pydantic import Field

from runbook.config.secret import Secret
from runbook.config.ssh import Ssh
from runbook.config.types import (
    AbsolutePath,
    Cidr,
    Count,
    DnsLabel,
    EnvironmentName,
    FlagName,
    FlagValue,
    Folder,
    Group,
    Image,
    Port,
    Quantity,
    Repository,
    Seconds,
    Text,
    Texts,
    WholeSeconds,
)

SourceRanges = Annotated[tuple[Cidr, ...], Field(strict=False)]


class Checkpoint(Group):
    """The model's files; from the model file."""

    repository: Repository = Field(description="the model's repository on the Hugging Face hub")
    revision: Text = Field(description="commit, tag or branch; a commit never changes")
    folder: Folder = Field(description="folder of the bucket that holds the model (guide: MODEL_FOLDER_PATH)")
    include: Texts = Field(description="patterns of the files that the server needs")
    exclude: Texts = Field(description="patterns of files that are left out all the same")


AtOnce = Annotated[int, Field(ge=1, le=64)]


class Transfer(Group):
    """The way of the model from hub to bucket, section 3.2.3."""

    where: Literal["local", "ssh", "cluster"] = Field(
        description="which machine the bytes go through: this one, one over SSH, or Pods of the cluster"
    )
    workers: AtOnce = Field(description="Pods that share the files, where the cluster moves them")
    image: Image = Field(
        description="image of these Pods: Python 3.11 or newer; without google-crc32c in it they fetch that "
        "from PyPI"
    )
    files_at_once: AtOnce = Field(description="files on their way at the same time")
    stall_s: Annotated[float, Field(gt=0, le=600)] = Field(
        description="seconds without a byte after which a connection is given up and made anew"
    )
    verify: Literal["recorded", "deep"] = Field(
        description="what a check compares: sizes, checksums and recorded hashes, or every byte, read back"
    )
    ssh: Ssh = Field(description="the host that the bytes go through, where transfer.where is ssh")


class Hub(Group):
    """The Hugging Face hub."""

    token: Secret | None = Field(
        description="access token of the hub, for gated models and higher rate limits"
    )


class Volume(Group):
    """The bucket as a volume of the Pod, section 4.2; from the storage file."""

    kind: Literal["gcsfuse"] = Field(
        description="how the bucket reaches the Pod: Cloud Storage FUSE CSI driver"
    )
    name: DnsLabel = Field(
        description="beginning of the PersistentVolume's name; bucket and folder are hashed into it"
    )
    claim: DnsLabel = Field(description="name of the PersistentVolumeClaim")
    storage_class: DnsLabel = Field(
        description="storage class that ties the two; no such object needs to exist"
    )
    capacity: Quantity = Field(description="a label that both must carry; the driver does not enforce it")
    mount_path: AbsolutePath = Field(description="where the Pod sees the bucket")
    only_dir: bool = Field(description="whether only the model's folder is mounted, not the whole bucket")
    mount_options: Texts = Field(description="options of the mount")
    attributes: dict[Text, str] = Field(description="volumeAttributes of the CSI driver")


class Kube(Group):
    """How Kubernetes objects are applied, sections 4.1 to 4.3."""

    namespace: DnsLabel = Field(description="namespace of everything that deploy and bench make")
    service_account: DnsLabel = Field(
        description="Kubernetes ServiceAccount of the server; 3.3 grants it the bucket"
    )
    field_manager: Text = Field(description="name under which fields are owned in server-side apply")
    force: bool = Field(description="whether to take over fields that another manager owns")
    kubeconfig: Text | None = Field(
        description="kubeconfig file that 4.1 writes, or that provider kubeconfig reads; null: the usual one"
    )
    context: Text | None = Field(
        description="context of that file, for provider kubeconfig; null: its current context"
    )


class StartupProbe(Group):
    """How long the server may take to load the model before Kubernetes restarts it."""

    period_s: WholeSeconds = Field(description="seconds between two looks at /health")
    failures: Count = Field(description="failed looks until the container is restarted")


class Server(Group):
    """The vLLM server, sections 4.2 and 4.3."""

    name: DnsLabel = Field(description="name of the Deployment")
    service: DnsLabel = Field(description="name of the Service")
    image: Image = Field(description="the server's image, pinned; the benchmark uses it too")
    port: Port = Field(description="port of the server and of its Service")
    replicas: Annotated[int, Field(ge=0)] = Field(description="Pods; each takes all chips of a node")
    served_model_names: Texts = Field(
        description="names that the server answers to, besides the model's path"
    )
    flags: dict[FlagName, FlagValue] = Field(
        description="flags of vllm serve; true: the flag alone, false or null: without it"
    )
    env: dict[EnvironmentName, str] = Field(
        description="environment variables of the server; null: without it"
    )
    expose: Literal["none", "internal", "external"] = Field(
        description="who reaches the Service: the cluster only, the VPC network, or the internet"
    )
    source_ranges: SourceRanges = Field(description="addresses that may reach an exposed Service")
    api_key: Secret | None = Field(
        description="key that clients must send; required where the internet reaches in"
    )
    compilation_cache: Folder | None = Field(
        description="folder below the model's that keeps compiled programs (VLLM_XLA_CACHE_PATH), for a "
        "bucket.role that may write; null: each start compiles anew"
    )
    vocabulary: Folder | None = Field(
        description="folder below the model's that holds o200k_base.tiktoken (TIKTOKEN_ENCODINGS_BASE), for "
        "nodes without internet; null: the server fetches it"
    )
    engine_ready_timeout_s: WholeSeconds = Field(
        description="how long vLLM waits for its engines (VLLM_ENGINE_READY_TIMEOUT_S), in seconds"
    )
    startup_probe: StartupProbe = Field(description="the start-up probe's budget")
    ready_timeout_s: WholeSeconds = Field(
        description="how long 4.3 waits for the server, and the rollout's progressDeadlineSeconds, in seconds"
    )


class Smoke(Group):
    """The question of sections 4.4 and 4.5."""

    prompt: Text = Field(description="what the server is asked to complete")
    max_tokens: Count = Field(description="tokens of the answer")
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(description="0: always the likeliest token")
    local_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        description="port of this machine that 4.4 forwards to the Service; 0: any free one"
    )
    timeout_s: Seconds = Field(description="how long to wait for the answer, in seconds")
