"""Who a Pod is to Google's APIs: its Kubernetes ServiceAccount, or the service account of its node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.facts import ClusterFacts
from rehearsal.principals import Principal
from rehearsal.projects import project_number

_CONTAINER_API = "https://container.googleapis.com/v1"
_GOOGLE_ACCOUNT = "iam.gke.io/gcp-service-account"


@dataclass(frozen=True)
class Identity:
    """What GKE's metadata server says of a Pod.

    Args:
        project: the cluster's.
        email: what the metadata server calls the account.
        principal: whom the Pod's tokens stand for.
    """

    project: str
    email: str
    principal: Principal


def identity_of(pod: Object, store: Store, facts: ClusterFacts) -> Identity:
    """Tell who a Pod is.

    The ServiceAccount counts where cluster and node pool have Workload Identity; elsewhere, and on the
    network of its node, a Pod is the node: the Compute Engine default service account.
    """
    if not has_workload_identity(pod, facts) or pod["spec"].get("hostNetwork"):
        return _google_account(
            facts, f"{project_number(facts.project)}-compute@developer.gserviceaccount.com"
        )
    if linked := _linked_account(pod, store):
        return _google_account(facts, linked)
    members = tuple(workload_members(pod, facts))
    return Identity(facts.project, facts.workload_pool, Principal(members[0], members))


def has_workload_identity(pod: Object, facts: ClusterFacts) -> bool:
    """Tell whether cluster and node pool of a Pod have Workload Identity."""
    return bool(facts.workload_pool) and facts.workload_metadata(pod["spec"]["nodeName"]) == "GKE_METADATA"


def workload_members(pod: Object, facts: ClusterFacts) -> Iterator[str]:
    """Name the IAM members that a Pod's ServiceAccount is, itself first."""
    namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
    pool = (
        f"//iam.googleapis.com/projects/{project_number(facts.project)}/locations/global"
        f"/workloadIdentityPools/{facts.workload_pool}"
    )
    yield f"principal:{pool}/subject/ns/{namespace}/sa/{account}"
    yield f"principalSet:{pool}/namespace/{namespace}"
    yield f"principalSet:{pool}/kubernetes.cluster/{_CONTAINER_API}/{facts.key}"


def members_at_mount(pod: Object, store: Store, facts: ClusterFacts) -> Iterator[str]:
    """Name the members of whom a mount needs one: the ServiceAccount, and the account it is linked to."""
    yield from workload_members(pod, facts)
    if linked := _linked_account(pod, store):
        yield f"serviceAccount:{linked}"


def _google_account(facts: ClusterFacts, email: str) -> Identity:
    return Identity(facts.project, email, Principal(email, (f"serviceAccount:{email}",)))


def _linked_account(pod: Object, store: Store) -> str:
    """Name the Google service account that the ServiceAccount's annotation names; empty where none does."""
    namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
    found = store.get(kind_of("ServiceAccount"), namespace, account) or {"metadata": {}}
    return str((found["metadata"].get("annotations") or {}).get(_GOOGLE_ACCOUNT, ""))
