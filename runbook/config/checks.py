"""What must hold between variables, and what probably should."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Final

from runbook.config.findings import Findings
from runbook.config.provenance import Origins
from runbook.config.schema import Variables
from runbook.engine.errors import Place

_OWN_FLAGS = {
    "host": None,
    "port": "server.port",
    "model": "checkpoint.folder",
    "served-model-name": "server.served_model_names",
    "api-key": "server.api_key",
}
"""Flags that the manifest writes itself, and the variable that each follows."""
_READERS = frozenset({"roles/storage.objectViewer", "roles/storage.legacyObjectReader"})


MULTI_REGIONS: Final = {"us": "us", "europe": "eu", "asia": "asia"}
"""Cloud Storage's multi-regions, by the beginning of the regions that they contain."""


def check(variables: Variables, origins: Origins, file: Place) -> Findings:
    """Look at variables together.

    Args:
        variables: each valid by itself.
        origins: where each came from.
        file: the environment's file.
    """
    findings = Findings(origins, file)
    for look in _CHECKS:
        look(variables, findings)
    return findings


def _provider_needs(variables: Variables, findings: Findings) -> None:
    needed = {"bucket.name": variables.bucket.name}
    if variables.provider != "kubeconfig":
        needed |= {
            "project": variables.project,
            "region": variables.region,
            "zone": variables.zone,
            "cluster.name": variables.cluster.name,
            "node_pool.name": variables.node_pool.name,
        }
    for key, value in needed.items():
        if not value:
            findings.error(
                key, f"is not set, and provider {variables.provider} needs it", f"set it in {findings.file}"
            )


def _rehearsal_only(variables: Variables, findings: Findings) -> None:
    if variables.provider == "rehearsal":
        return
    for key in findings.origins.below(("rehearsal",)):
        if len(findings.origins.history(key)) > 1:
            name = ".".join(key)
            findings.error(
                name, f"is for the rehearsal only, and the provider is {variables.provider}", "take it out"
            )


def _locations(variables: Variables, findings: Findings) -> None:
    region, zone, cluster = variables.region, variables.zone, variables.cluster.location
    if not region or not zone:
        return
    if not zone.startswith(f"{region}-"):
        findings.error("zone", f"{zone} is not in the region {region}", f"choose a zone such as {region}-c")
    elif zone not in variables.tpu.zones:
        known = ", ".join(variables.tpu.zones)
        findings.warning(
            "zone", f"{zone} is not known to have {variables.tpu.machine_type}", f"known: {known}"
        )
    if cluster != region and not cluster.startswith(f"{region}-"):
        findings.error("cluster.location", f"{cluster} is not in the region {region}")
    if variables.bucket.location.lower() not in {region, MULTI_REGIONS.get(region.split("-")[0])}:
        findings.warning(
            "bucket.location", f"{variables.bucket.location} is away from {region}: the model loads slowly"
        )


def _shape(variables: Variables, findings: Findings) -> None:
    cluster = variables.cluster
    if cluster.mode == "autopilot" and cluster.location != variables.region:
        findings.error(
            "cluster.location",
            f"is {cluster.location}, and Autopilot clusters are regional",
            "take it out, or set cluster.mode to standard",
        )
    if "/" in (cluster.network or "") and "/" not in (cluster.subnetwork or ""):
        findings.error(
            "cluster.subnetwork",
            "is no full path, and cluster.network is shared by another project",
            "name it in full: projects/HOST/regions/REGION/subnetworks/NAME",
        )
    private = cluster.private_nodes or cluster.endpoint == "private"
    if private and ".pkg.dev/" not in variables.server.image:
        findings.warning(
            "server.image",
            f"{variables.server.image} is not in Artifact Registry, and private nodes reach no other "
            "registry without Cloud NAT",
        )


def _vocabulary(variables: Variables, findings: Findings) -> None:
    cluster = variables.cluster
    private = cluster.private_nodes or cluster.endpoint == "private"
    speaks_harmony = "gpt-oss" in variables.checkpoint.repository
    if private and speaks_harmony and not variables.server.vocabulary:
        findings.warning(
            "server.vocabulary",
            "is not set: private nodes fetch gpt-oss's vocabulary from the internet, which needs Cloud NAT",
            "name a folder such as vocabulary; 4.3 says how the file gets there",
        )


def _credentials(variables: Variables, findings: Findings) -> None:
    chosen = variables.credentials
    if chosen.source == "token-file" and not chosen.token_file:
        findings.error("credentials.token_file", "is not set, and credentials.source is token-file")
    if chosen.source != "token-file" and chosen.token_file:
        findings.warning("credentials.token_file", f"is not used: credentials.source is {chosen.source}")


def _transfer_host(variables: Variables, findings: Findings) -> None:
    if variables.transfer.where == "ssh" and not variables.transfer.ssh.host:
        findings.error(
            "transfer.ssh.host",
            "is not set, and transfer.where is ssh",
            "name a host near the bucket, or set transfer.where to local or cluster",
        )


def _bastion(variables: Variables, findings: Findings) -> None:
    if variables.bastion.host and variables.cluster.endpoint == "dns" and variables.provider != "kubeconfig":
        findings.error(
            "bastion.host",
            "is set, and cluster.endpoint is dns, which is reached from everywhere",
            "take it out, or set cluster.endpoint to private or ip",
        )


def _capacity(variables: Variables, findings: Findings) -> None:
    pool = variables.node_pool
    if pool.capacity == "reservation" and not pool.reservation and variables.provider != "kubeconfig":
        findings.error(
            "node_pool.reservation",
            "is not set, and node_pool.capacity is reservation",
            "name the reservation, or set node_pool.capacity to on-demand, spot or flex-start",
        )
    if pool.capacity != "reservation" and pool.reservation:
        findings.warning("node_pool.reservation", f"is not used: node_pool.capacity is {pool.capacity}")


def _devices(variables: Variables, findings: Findings) -> None:
    tpu, flags = variables.tpu, variables.server.flags
    if not tpu.multi_host and prod(int(side) for side in tpu.topology.split("x")) != tpu.chips:
        findings.error(
            "tpu.chips", f"is {tpu.chips}, and one host of topology {tpu.topology} has another number"
        )
    tensor, data, pipeline = (
        flags.get(f"{kind}-parallel-size", 1) for kind in ("tensor", "data", "pipeline")
    )
    cores = tpu.chips * tpu.cores_per_chip
    sizes = [size for size in (tensor, data, pipeline) if isinstance(size, int)]
    if prod(sizes) != cores:
        findings.warning(
            "server.flags.tensor-parallel-size",
            f"{tensor} x data-parallel-size {data} is {prod(sizes)} devices, and the node has {cores}",
            f"make the product {cores}: {tpu.chips} chips x {tpu.cores_per_chip} cores",
        )
    if variables.server.replicas > variables.node_pool.nodes:
        findings.warning(
            "server.replicas",
            f"is {variables.server.replicas}, and there are TPU nodes for {variables.node_pool.nodes}",
            "raise node_pool.nodes",
        )


def _flags(variables: Variables, findings: Findings) -> None:
    for flag, variable in _OWN_FLAGS.items():
        if flag in variables.server.flags:
            remedy = f"set {variable}" if variable else "take it out"
            findings.error(f"server.flags.{flag}", "is written by the manifest itself", remedy)


def _environment(variables: Variables, findings: Findings) -> None:
    server = variables.server
    written = {
        "MODEL_FOLDER_PATH": "checkpoint.folder",
        "VLLM_ENGINE_READY_TIMEOUT_S": "server.engine_ready_timeout_s",
        **({"VLLM_API_KEY": "server.api_key"} if server.api_key else {}),
        **({"VLLM_XLA_CACHE_PATH": "server.compilation_cache"} if server.compilation_cache else {}),
        **({"TIKTOKEN_ENCODINGS_BASE": "server.vocabulary"} if server.vocabulary else {}),
    }
    for name, variable in written.items():
        if name in server.env:
            findings.error(f"server.env.{name}", "is written by the manifest itself", f"set {variable}")


def _compilation_cache(variables: Variables, findings: Findings) -> None:
    if variables.server.compilation_cache and variables.bucket.role in _READERS:
        findings.error(
            "server.compilation_cache",
            f"is written by the server, and bucket.role {variables.bucket.role} may only read",
            "set bucket.role to roles/storage.objectUser",
        )


def _transfer_workers(variables: Variables, findings: Findings) -> None:
    if variables.transfer.where == "cluster" and variables.bucket.role in _READERS:
        findings.error(
            "transfer.where",
            f"is cluster, whose Pods write, and bucket.role {variables.bucket.role} may only read",
            "set bucket.role to roles/storage.objectUser",
        )


def _lengths(variables: Variables, findings: Findings) -> None:
    """The real boundary: sonnet keeps to its length, random overshoots by a few tokens."""
    bench, longest = variables.bench, variables.server.flags.get("max-model-len")
    slack = 16 if bench.dataset == "random" else 0
    if isinstance(longest, int) and bench.input_len + bench.output_len + slack > longest:
        findings.warning(
            "bench.input_len",
            f"{bench.input_len} + output {bench.output_len} + {slack} is more than max-model-len {longest}: "
            "answers would be cut or refused",
            f"at most {max(longest - bench.output_len - slack, 0)}, or a larger server.flags.max-model-len",
        )
    if bench.dataset == "sonnet" and bench.input_len <= 200:
        findings.warning(
            "bench.input_len", f"{bench.input_len} is not more than sonnet's prefix of 200 tokens"
        )


def _exposure(variables: Variables, findings: Findings) -> None:
    server = variables.server
    if server.expose == "none":
        return
    note = findings.error if server.expose == "external" else findings.warning
    if server.api_key is None:
        note(
            "server.api_key",
            f"is not set, and server.expose is {server.expose}: anybody there may use the model",
        )
    if not server.source_ranges:
        note(
            "server.source_ranges",
            f"is empty, and server.expose is {server.expose}: every address may connect",
        )


def _patience(variables: Variables, findings: Findings) -> None:
    server = variables.server
    budget = server.startup_probe.period_s * server.startup_probe.failures
    if budget < server.engine_ready_timeout_s:
        findings.warning(
            "server.startup_probe.failures",
            f"allows {budget} s, less than server.engine_ready_timeout_s {server.engine_ready_timeout_s}: "
            "the server would be restarted while it still loads",
        )
    if server.ready_timeout_s < server.engine_ready_timeout_s:
        findings.warning(
            "server.ready_timeout_s",
            f"is less than server.engine_ready_timeout_s {server.engine_ready_timeout_s}",
        )


def _images(variables: Variables, findings: Findings) -> None:
    images = {variables.bench.image: "bench.image", variables.server.image: "server.image"}
    for image, key in images.items():
        tag = image.rpartition("/")[2].partition(":")[2]
        if "@" not in image and tag in {"", "latest"}:
            findings.warning(
                key, f"{image} moves: the next Pod may run another version", "name a tag or a digest"
            )
    if variables.bench.image != variables.server.image:
        findings.warning("bench.image", "is not the server's image: client and server may not match")


def _teardown(variables: Variables, findings: Findings) -> None:
    asked, name = variables.teardown.bucket, variables.bucket.name
    if asked and asked != name:
        findings.error("teardown.bucket", f"names {asked}, and this environment's bucket is {name}")


def _prices(variables: Variables, findings: Findings) -> None:
    prices = variables.prices
    amounts = (
        prices.tpu_machine,
        prices.system_machine,
        prices.cluster,
        prices.storage_gib_month,
        prices.load_balancer,
    )
    if prices.currency is None and any(amount is not None for amount in amounts):
        findings.warning("prices.currency", "is not set: the figures have no unit", "name it, such as EUR")


_CHECKS: tuple[Callable[[Variables, Findings], None], ...] = (
    _provider_needs,
    _rehearsal_only,
    _locations,
    _shape,
    _vocabulary,
    _credentials,
    _transfer_host,
    _bastion,
    _capacity,
    _devices,
    _flags,
    _environment,
    _compilation_cache,
    _transfer_workers,
    _lengths,
    _exposure,
    _patience,
    _images,
    _teardown,
    _prices,
)
