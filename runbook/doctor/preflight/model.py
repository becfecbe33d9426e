"""P8 to P10: the bucket, the model in it, and the grant to read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from runbook.doctor.preflight.account import NO_PROJECT
from runbook.doctor.preflight.check import Answers, failed, ok, warning
from runbook.doctor.preflight.reads import reachable
from runbook.steps.auth.reads import project_number
from runbook.steps.context import Context
from runbook.steps.kube.cluster import live
from runbook.steps.kube.server import deployment
from runbook.steps.model.manifest import NAME as MANIFEST
from runbook.steps.model.manifest import checksums
from runbook.steps.model.sizes import bytes_text
from runbook.steps.storage.iam_member import principal
from runbook.steps.storage.reads import bucket, members, objects

NO_BUCKET = "there is no bucket yet"
INDEX = "model.safetensors.index.json"
WEIGHTS = ".safetensors"
DAY_S = 24 * 60 * 60
MULTI_REGIONS = {
    "us": ("us-", "northamerica-"),
    "eu": ("europe-",),
    "asia": ("asia-",),
    "nam4": ("us-central1", "us-east1"),
    "eur4": ("europe-north1", "europe-west4"),
    "asia1": ("asia-northeast1", "asia-northeast2"),
}
"""What lies in a multi-region, or in a predefined dual-region: beginnings of regions."""
READING_ROLES = (
    "roles/storage.objectViewer",
    "roles/storage.objectUser",
    "roles/storage.objectAdmin",
    "roles/storage.admin",
)
"""Weakest first; each can do what those before it can."""


def bucket_fits(context: Context) -> Answers:
    """P8: where the bucket is, who decides about it, whether folders are real, what deleting costs."""
    found = bucket(context)
    if found is None:
        yield ok(f"{NO_BUCKET}: 3.1 makes it")
        return
    variables = context.variables
    problems = 0
    if variables.bucket.location and found.location != variables.bucket.location.lower():
        problems += 1
        yield failed(
            f"{found.name} is in {found.location}, not in {variables.bucket.location.lower()}",
            f"a bucket cannot move: set bucket.location to {found.location}, or another bucket.name",
        )
    if not _holds(found.location, variables.region):
        problems += 1
        yield warning(
            f"{found.name} is in {found.location}, the TPU nodes are in {variables.region}: the model loads"
            " slowly, and the traffic costs",
            "use a bucket in the region",
        )
    if not found.uniform_access:
        problems += 1
        yield warning(
            f"{found.name} has access control lists: Pods cannot be let in by IAM alone",
            "`inv step 3.1` switches uniform access on",
        )
    if variables.bucket.hierarchical_namespace and not found.hierarchical_namespace:
        problems += 1
        yield warning(f"{found.name} has no real folders, and cannot get them", "another bucket.name may")
    if not problems:
        yield ok(f"{found.name} is in {found.location}, uniform access{_soft_delete(found.soft_delete_s)}")


def model_complete(context: Context) -> Answers:
    """P9: every file that the index and the runbook's manifest name is there, with its size."""
    if bucket(context) is None:
        yield ok(f"{NO_BUCKET}: 3.2.3 moves the model")
        return
    folder = context.variables.checkpoint.folder
    held = {one.name.removeprefix(f"{folder}/"): one.size for one in objects(context)}
    address = f"gs://{context.variables.bucket.name}/{folder}/"
    if MANIFEST not in held:
        files = f"holds {len(held)} files" if held else "is empty"
        yield ok(f"{address} {files}: 3.2.3 moves what is missing")
        return
    wrong = [*_against_manifest(context, held), *_against_index(context, held)]
    if wrong:
        yield failed(f"{address} is not complete: {'; '.join(wrong)}", "`inv step 3.2.3` moves it anew")
        return
    total = bytes_text(sum(held.values()))
    yield ok(f"{address} is complete: {len(held)} objects, {total}")


def grant(context: Context) -> Answers:
    """P10: the server's ServiceAccount may read the bucket."""
    variables = context.variables
    if not variables.project:
        yield ok(NO_PROJECT)
        return
    if bucket(context) is None:
        yield ok(f"{NO_BUCKET}: 3.3 grants the role on it")
        return
    member = principal(context, project_number(context))
    held = {role for role, who in members(context) if who == member}
    who = f"ServiceAccount {variables.kube.namespace}/{variables.kube.service_account}"
    if held & _sufficient(variables.bucket.role):
        yield ok(f"{who} has {', '.join(sorted(held))}")
    elif _is_deployed(context):
        yield failed(
            f"{who} has no {variables.bucket.role} on gs://{variables.bucket.name}:"
            " the server is deployed, and its mount fails with 403",
            "`inv step 3.3`",
        )
    else:
        yield ok(f"{who} has no role yet: 3.3 grants {variables.bucket.role}")


def _holds(location: str, region: str) -> bool:
    """Tell whether a bucket's location is, or contains, a region."""
    beginnings: Sequence[str] = MULTI_REGIONS.get(location, ())
    return location == region or region.startswith(tuple(beginnings))


def _soft_delete(seconds: int) -> str:
    if not seconds:
        return ""
    return f"; what is deleted is kept, and billed, for {round(seconds / DAY_S)} more days"


def _against_manifest(context: Context, held: Mapping[str, int]) -> list[str]:
    recorded = checksums(_read(context, MANIFEST))
    if not recorded:
        return [f"{MANIFEST} cannot be read"]
    missing = [path for path in recorded if path not in held]
    resized = [path for path, entry in recorded.items() if path in held and held[path] != entry.size]
    return [*(f"{path} is missing" for path in missing), *(f"{path} has another size" for path in resized)]


def _against_index(context: Context, held: Mapping[str, int]) -> list[str]:
    if INDEX not in held:
        single = [name for name in held if name.endswith(WEIGHTS)]
        return [] if single else [f"{INDEX} is missing"]
    try:
        index = json.loads(_read(context, INDEX))
        named = set(index["weight_map"].values())
        total = int(index.get("metadata", {}).get("total_size", 0))
    except (ValueError, KeyError, TypeError, AttributeError):
        return [f"{INDEX} cannot be read"]
    missing = sorted(named - held.keys())
    size = sum(held.get(name, 0) for name in named)
    short = [f"the weights have {size} bytes, fewer than the index's {total}"]
    return [f"{name} is missing" for name in missing] or (short if size < total else [])


def _read(context: Context, name: str) -> bytes:
    variables = context.variables
    return context.connections.storage.read(variables.bucket.name, f"{variables.checkpoint.folder}/{name}")


def _sufficient(role: str) -> frozenset[str]:
    """List the roles that can do what a role can."""
    weaker = READING_ROLES.index(role) if role in READING_ROLES else len(READING_ROLES)
    return frozenset((role, *READING_ROLES[weaker:]))


def _is_deployed(context: Context) -> bool:
    return reachable(context) and live(context, deployment(context)) is not None
