"""Whether the server's Pods may read the bucket: told before anything changes, not by a mount much later."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import MissingError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import live
from runbook.steps.kube.permitted import permitted
from runbook.steps.kube.rollout import available
from runbook.steps.storage.reads import members

_EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
_LINKED = "iam.gke.io/gcp-service-account"


def require_access(context: Context, objects: Sequence[Object]) -> None:
    """Look at the bucket's policy where Pods are to run as somebody as whom none runs yet.

    Nothing is concluded where the policy may not be read. Where it knows no Pod at all, the project's own
    policy may be what lets them in: that is a warning.

    Args:
        objects: what is to be applied.

    Raises:
        MissingError: the policy lets Pods in by their ServiceAccount, and not this one.
    """
    if context.variables.provider == "kubeconfig" or not context.variables.project:
        return
    for wanted in objects:
        if (
            wanted["kind"] == "Deployment"
            and wanted["spec"].get("replicas", 1)
            and not _runs(context, wanted)
        ):
            _look(context, wanted["metadata"]["namespace"], _account(wanted))


def _runs(context: Context, wanted: Object) -> bool:
    present = live(context, Reference.to(wanted))
    return present is not None and available(present) and _account(present) == _account(wanted)


def _account(deployment: Object) -> str:
    return str(deployment["spec"]["template"]["spec"].get("serviceAccountName", "default"))


def _look(context: Context, namespace: str, account: str) -> None:
    variables = context.variables
    granted = _granted(context)
    if granted is None or granted & _EVERYBODY:
        return
    pool = f"/workloadIdentityPools/{variables.project}.svc.id.goog/"
    pods = {member.partition(pool)[2] for member in granted if pool in member}
    own, of_others = f"subject/ns/{namespace}/sa/{account}", {one for one in pods if "subject/ns/" in one}
    if own in pods or pods - of_others or _is_linked(context, namespace, account):
        return
    text = f"ServiceAccount {namespace}/{account} has no role on gs://{variables.bucket.name}"
    if not of_others:
        context.report.warning(
            f"{text}: unless the project's policy gives it one, the mount fails; run `inv setup deploy`"
        )
        return
    others = ", ".join(sorted(one.removeprefix("subject/ns/").replace("/sa/", "/") for one in of_others))
    raise MissingError(
        f"{text}, only {others}: its Pods could not mount it",
        supplied_by="storage.iam_member",
        remedy=f"run `inv setup deploy`: 3.3 grants it {variables.bucket.role}",
    )


def _granted(context: Context) -> frozenset[str] | None:
    """List who has any role on the bucket; None where the login may not see it."""
    return permitted(lambda: frozenset(member for _, member in members(context)), otherwise=None)


def _is_linked(context: Context, namespace: str, account: str) -> bool:
    """Tell whether the ServiceAccount acts as a Google service account, whose roles are elsewhere."""
    reference = Reference("v1", "ServiceAccount", namespace, account)
    return permitted(
        lambda: _LINKED in ((live(context, reference) or {}).get("metadata", {}).get("annotations") or {}),
        otherwise=True,
    )
