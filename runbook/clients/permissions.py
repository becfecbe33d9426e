"""A permission that is missing: which role has it, and the command with which somebody else grants that."""

from __future__ import annotations

import re
from collections.abc import Mapping

PERMISSION = re.compile(r"\b([a-z][A-Za-z]*(?:\.[A-Za-z]+){2})\b(?<!\.com)")
"""A permission in Google's refusals, such as container.clusters.update."""
PROJECT = re.compile(r"(?:/projects/|[?&]project=)([^/:?&]+)")
BUCKET = re.compile(r"(?:/b/|gs://)([^/?]+)")
CLUSTERS = re.compile(r"container\.(clusters|operations|nodePools)\.")
"""GKE's own permissions; all others of `container` are those of objects inside a cluster."""
AUTHORIZER = re.compile(
    r'forbidden: User "[^"]*" cannot (?P<verb>\S+) (?:resource|path) "(?P<resource>[^"]*)"'
    r'(?: in API group "(?P<group>[^"]*)")?(?: in the namespace "(?P<namespace>[^"]*)")?'
)
"""A refusal of Kubernetes' authorizers; an admission's denial is worded as whoever wrote it likes
(k8s.io/apiserver, responsewriters.forbiddenMessage)."""
ROLES: Mapping[str, str] = {
    "container.": "roles/container.admin",
    "iam.serviceAccounts.actAs": "roles/iam.serviceAccountUser",
    "iam.serviceAccounts.getAccessToken": "roles/iam.serviceAccountTokenCreator",
    "storage.objects.": "roles/storage.objectAdmin",
    "storage.": "roles/storage.admin",
    "resourcemanager.": "roles/browser",
    "serviceusage.": "roles/serviceusage.serviceUsageConsumer",
    "compute.reservations.": "roles/compute.viewer",
    "compute.": "roles/compute.viewer",
    "cloudquotas.": "roles/cloudquotas.viewer",
}
"""The beginning of a permission, and a predefined role that has it (IAM, roles and permissions)."""


def missing(message: str) -> str | None:
    """Read the permission that a refusal (403) names; None where it names none."""
    found = (match[1] for match in PERMISSION.finditer(message))
    return next((name for name in found if any(name.startswith(start) for start in ROLES)), None)


def remedy(message: str, source: str) -> str:
    """Tell what to have run so that the permission is there.

    Args:
        message: Google's refusal.
        source: the request, whose path names the project.
    """
    permission = missing(message)
    if permission is None:
        return "ask for the permission that the message names"
    return f"{permission} is missing: have an owner run `{_grant(permission, source)}`"


def in_cluster(message: str) -> str:
    """Tell what to have run so that a login may use the objects of a GKE cluster.

    Args:
        message: the API server's refusal; GKE's names a permission, that of Kubernetes alone does not.
    """
    permission = missing(message)
    named = f"{permission} is missing: " if permission else ""
    return f"{named}have an owner run `{_grant(permission or 'container.pods.get', '')}`"


def in_any_cluster(message: str) -> str:
    """Tell what a login has to be granted in a cluster that may be anybody's.

    Args:
        message: the API server's refusal; where it names a permission of Google's, the cluster is GKE's.
    """
    refused = AUTHORIZER.search(message)
    if missing(message) or refused is None:
        return in_cluster(message)
    group = f" of API group {refused['group']}" if refused["group"] else ""
    where = f" in namespace {refused['namespace']}" if refused["namespace"] else ""
    return f"have somebody grant it: {refused['verb']} on {refused['resource']}{group}{where}"


def _grant(permission: str, source: str) -> str:
    """Write the command that grants a permission: on the bucket where the request is about one."""
    project, bucket = PROJECT.search(source), BUCKET.search(source)
    if permission.startswith("storage.") and bucket:
        where = f"gcloud storage buckets add-iam-policy-binding gs://{bucket[1]}"
    else:
        where = f"gcloud projects add-iam-policy-binding {project[1] if project else 'PROJECT'}"
    return f"{where} --member=user:YOUR_ACCOUNT --role={_role(permission)}"


def _role(permission: str) -> str:
    if permission.startswith("container.") and not CLUSTERS.match(permission):
        return "roles/container.developer"
    return next(role for start, role in ROLES.items() if permission.startswith(start))
