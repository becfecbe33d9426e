"""Every variable there is: its type, its bounds and what it is for."""

from typing import Annotated, Final, Literal

from pydantic import Field

from runbook.config.infrastructure import Bucket, Cluster, Credentials, NodePool, Prices, Tpu
from runbook.config.ssh import Bastion
from runbook.config.sweep import Slo, Sweep
from runbook.config.types import (
    AbsolutePath,
    BucketName,
    Count,
    Group,
    Image,
    JobPrefix,
    ProjectId,
    Quantity,
    Region,
    Seconds,
    Text,
    WholeSeconds,
    WorkloadName,
    Zone,
)
from runbook.config.workload import Checkpoint, Hub, Kube, Server, Smoke, Transfer, Volume

SELECTORS: Final = {"model": "models", "hardware": "hardware", "storage": "storage"}
"""Variables that name a file, and the folder of vars/ that it is in."""

DERIVED: Final = {
    "cluster.location": "region",
    "cluster.system_zones": "zone",
    "bucket.location": "region",
    "bench.image": "server.image",
}
"""Variables that take another's value where they are null."""

OF_WORKLOAD: Final = (
    "dataset", "input_len", "output_len", "num_prompts", "max_concurrency", "request_rate",
)  # fmt: skip
"""Variables of `bench` that take the value of the workload `bench.workload` where they are null."""

NULLABLE: Final = frozenset({*DERIVED, *(f"bench.{name}" for name in OF_WORKLOAD)})
"""Variables that follow another one where they are null."""

Metrics = Annotated[tuple[Literal["ttft", "tpot", "itl", "e2el"], ...], Field(strict=False)]
Percentiles = Annotated[tuple[Annotated[float, Field(gt=0, lt=100)], ...], Field(strict=False)]


Dataset = Literal["sonnet", "random"]
Rate = Annotated[float, Field(gt=0)]


class Workload(Group):
    """One entry of `bench.workloads`."""

    dataset: Dataset = Field(description="prompts; sonnet is gone from vLLM 0.32 on")
    input_len: Count = Field(description="tokens of a prompt")
    output_len: Count = Field(description="tokens of an answer")
    num_prompts: Count = Field(description="requests in all")
    max_concurrency: Count | None = Field(None, description="requests at the same time; null: all at once")
    request_rate: Rate | None = Field(None, description="requests that begin each second; null: all at once")


class Bench(Group):
    """The benchmark, sections 5.1 and 5.2."""

    name: JobPrefix = Field(description="beginning of the Job's name; each run has its own")
    image: Image = Field(description="image of vllm bench serve; null: server.image, so that both match")
    workload: WorkloadName = Field(description="which of bench.workloads is run; `inv bench --workload NAME`")
    workloads: dict[WorkloadName, Workload] = Field(
        description="workloads by name; the variables of bench below that are null follow the chosen one"
    )
    dataset: Dataset = Field(description="prompts; sonnet is gone from vLLM 0.32 on; null: the workload's")
    dataset_path: AbsolutePath = Field(description="the sonnet file inside the image")
    input_len: Count = Field(
        description="tokens of a prompt; sonnet needs more than its prefix of 200; null: the workload's"
    )
    output_len: Count = Field(
        description="tokens of an answer; the end-of-sequence token is ignored; null: the workload's"
    )
    num_prompts: Count = Field(description="requests in all; null: the workload's")
    max_concurrency: Count | None = Field(
        description="requests at the same time; null: the workload's, which may be all at once, as the guide"
    )
    request_rate: Rate | None = Field(
        description="requests that begin each second; null: the workload's, which may be all at once"
    )
    num_warmups: Annotated[int, Field(ge=0)] = Field(description="requests before the clock starts")
    seed: Annotated[int, Field(ge=0)] = Field(description="seed of the choice of prompts")
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(description="0: always the likeliest token")
    percentile_metrics: Metrics = Field(description="metrics of which percentiles are reported")
    metric_percentiles: Percentiles = Field(description="which percentiles")
    placement: Literal["cpu", "tpu-node"] = Field(
        description="where the client runs: a system node, or the TPU node beside the server"
    )
    tokenizer: Literal["volume", "hub"] = Field(
        description="where the client reads the tokenizer: from the bucket as a volume; or, a public one, on "
        "nodes with internet, from the hub"
    )
    cpu: Quantity = Field(description="CPU that the client asks for; it saturates near one core a process")
    memory: Quantity = Field(description="memory that the client asks for")
    ready_timeout_s: WholeSeconds = Field(description="how long the client waits for the server, in seconds")
    timeout_s: WholeSeconds = Field(description="how long a run may take in all, in seconds")
    keep_s: WholeSeconds = Field(description="how long a finished Job is kept in the cluster, in seconds")
    tolerance_percent: Annotated[float, Field(gt=0, lt=100)] = Field(
        description="change of output throughput or median TPOT below which two benchmarks never differ"
    )
    history: Literal["local", "bucket"] = Field(
        description="where benchmarks are kept to compare with: .runs/ alone, or the bucket as well"
    )


class Rollback(Group):
    """Where `inv rollback` goes."""

    revision: Annotated[int, Field(ge=0)] = Field(
        description="revision of the server's Deployment to go back to, as `kubectl rollout history` counts; "
        "0: the last one that was ready"
    )


class Teardown(Group):
    """What teardown may delete beyond the rest."""

    bucket: BucketName = Field(
        description="name of the bucket, to have it deleted with the model; empty: it stays"
    )


class Run(Group):
    """How this machine goes through a playbook."""

    parallel: Annotated[int, Field(ge=1, le=32)] = Field(description="independent steps at the same time")
    lock_timeout_s: Annotated[float, Field(ge=0)] = Field(
        description="how long to wait for another run in this environment, in seconds; 0: stop at once"
    )
    poll_s: Seconds = Field(description="seconds between two looks at an operation")


class Rehearsal(Group):
    """The stand-in's behaviour; only with provider: rehearsal."""

    time_scale: Annotated[float, Field(ge=0, le=10)] = Field(
        description="1: the cloud's own durations; 0.01: a hundredth of them; 0: at once"
    )
    latency_ms: Annotated[float, Field(ge=0, le=60_000)] = Field(
        description="added to every request, in milliseconds"
    )
    hub_url_lifetime_s: Seconds = Field(
        description="how long an address of a large file on the hub can be used, in seconds"
    )
    step_ms: Annotated[float, Field(ge=0, le=10_000)] = Field(
        description="time of the model server's decode step, in milliseconds; 0: as fast as this machine goes"
    )
    prefill_tokens_per_s: Annotated[float, Field(ge=0)] = Field(
        description="prompt tokens that one engine of the model server works off a second; 0: at once"
    )
    engine: Literal["stand-in", "vllm"] = Field(
        description="program of the server's containers; vllm: the real one, of rehearsal.vllm_environment"
    )
    bench_client: Literal["stand-in", "vllm"] = Field(
        description="program of the benchmark's containers; vllm: the real one, of rehearsal.vllm_environment"
    )
    vllm_environment: str = Field(
        description="folder of a Python environment that has vLLM (its bin/python is run); empty: none"
    )


class Variables(Group):
    """All variables."""

    provider: Literal["rehearsal", "gke", "kubeconfig"] = Field(
        description="where this runs: the stand-in on this machine, GKE, or any cluster of a kubeconfig file"
    )
    model: Text = Field(description="file of vars/models, without .yml")
    hardware: Text = Field(description="file of vars/hardware, without .yml")
    storage: Text = Field(description="file of vars/storage, without .yml")
    project: ProjectId = Field(description="ID of the Google Cloud project (guide: PROJECT_ID)")
    region: Region = Field(description="region of cluster and bucket (guide: REGION)")
    zone: Zone = Field(description="zone of the TPU nodes (guide: ZONE)")
    credentials: Credentials
    cluster: Cluster
    node_pool: NodePool
    tpu: Tpu
    bucket: Bucket
    checkpoint: Checkpoint
    transfer: Transfer
    hub: Hub
    volume: Volume
    kube: Kube
    bastion: Bastion
    server: Server
    smoke: Smoke
    bench: Bench
    slo: Slo
    sweep: Sweep
    rollback: Rollback
    teardown: Teardown
    prices: Prices
    run: Run
    rehearsal: Rehearsal
