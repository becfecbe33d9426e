"""P14: images that stay what they are, and nodes that can pull them."""

from __future__ import annotations

import re
from typing import Any

from runbook.doctor.preflight.check import Answers, failed, ok, warning
from runbook.doctor.preflight.reads import of_kubeconfig
from runbook.steps.context import Context
from runbook.steps.gke.reads import cluster, node_pool

DOCKER_HUB = "docker.io"
DEFAULT_NETWORK = "default"
REACHED_PRIVATELY = re.compile(r"([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)")
"""Registries that private nodes reach without the internet (Private Google Access)."""


def images(context: Context) -> Answers:
    """P14: each image is pinned, and its registry can be reached from the nodes."""
    variables = context.variables
    wanted = list(dict.fromkeys((variables.server.image, variables.bench.image)))
    problems = 0
    for image in wanted:
        if not is_pinned(image):
            problems += 1
            yield warning(
                f"{image} moves: the next Pod may run another version", "name a dated tag or a digest"
            )
    far = [image for image in wanted if not REACHED_PRIVATELY.fullmatch(registry(image))]
    if far and _has_private_nodes(context) and not _has_nat(context):
        problems += 1
        yield failed(
            f"the nodes have no public address, and {variables.region} has no Cloud NAT: they cannot pull"
            f" {', '.join(far)}",
            "make a Cloud NAT for the network, or set the images to an Artifact Registry mirror",
        )
    if not problems:
        yield ok(f"{', '.join(wanted)}: pinned")


def is_pinned(image: str) -> bool:
    """Tell whether an image reference names one image: a digest, or a tag that counts or dates."""
    if "@" in image:
        return True
    tag = image.rpartition("/")[2].partition(":")[2]
    return any(character.isdigit() for character in tag)


def registry(image: str) -> str:
    """Name the registry that an image comes from."""
    host, slash, _ = image.partition("/")
    is_host = slash and ("." in host or ":" in host or host == "localhost")
    return host if is_host else DOCKER_HUB


def _has_private_nodes(context: Context) -> bool:
    if of_kubeconfig(context):
        return False
    found = cluster(context)
    if found is None:
        return context.variables.cluster.private_nodes
    pool: dict[str, Any] = node_pool(context, found) or {}
    own = pool.get("networkConfig", {}).get("enablePrivateNodes")
    if own is not None:
        return bool(own)
    default = found.get("networkConfig", {}).get("defaultEnablePrivateNodes")
    return bool(default or found.get("privateClusterConfig", {}).get("enablePrivateNodes"))


def _has_nat(context: Context) -> bool:
    variables = context.variables
    found = cluster(context) or {}
    network = found.get("networkConfig", {}).get("network") or found.get("network")
    network = str(network or variables.cluster.network or DEFAULT_NETWORK)
    owner = re.search(r"projects/([^/]+)/", network)
    project = owner[1] if owner else variables.project
    return context.connections.compute.has_nat(project, variables.region, network)
