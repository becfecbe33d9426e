"""The server's Pods may read the bucket: their Kubernetes ServiceAccount has a role on it.

Section 3.3, which the guide lacks (D12): without it the mount fails with 403. The principal is the
ServiceAccount itself, through the project's workload identity pool; no Google service account is needed.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runbook.clients.storage_requests import Grant
from runbook.engine.change import Change, Difference, Skip, StepResult
from runbook.engine.manual import Manual
from runbook.engine.shell import with_value
from runbook.steps.auth.reads import project_number, project_number_command
from runbook.steps.context import Context, StepArguments
from runbook.steps.storage.reads import bucket, members, members_key, require_bucket


class Arguments(StepArguments):
    """Whether the grant should be there; all else is in the variables."""

    state: Literal["present", "absent"] = Field("present", description="whether it should be there")


def run(arguments: Arguments, context: Context) -> StepResult:
    """Grant the role, or take it back.

    Raises:
        MissingError: the bucket is not there.
    """
    if not context.variables.project:
        return Skip("no project is set: the cluster's own identities have no name for a bucket's policy")
    if arguments.state == "absent" and bucket(context) is None:
        return "the bucket is not there"
    found = require_bucket(context)
    role, member = context.variables.bucket.role, principal(context, project_number(context))
    has = (role, member) in members(context)
    if arguments.state == "absent":
        if has:
            yield _revoke(context, found.name, role, member)
            return "gone"
        return "not there"
    if not has:
        yield _grant(context, found.name, role, member)
        return f"{_short(context)} gets {role}"
    return f"{_short(context)} has {role}"


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to grant the role, or to take it back, by hand."""
    variables = context.variables
    if not variables.project:
        return Manual(note="Nothing is done here: no project is set.")
    grant, revoke = _by_hand(context, wanted=True), _by_hand(context, wanted=False)
    absent = arguments.state == "absent"
    return Manual(
        commands=[revoke if absent else grant],
        check=[["gcloud", "storage", "buckets", "get-iam-policy", f"gs://{variables.bucket.name}"]],
        undo=[grant if absent else revoke],
        note="A change of a policy takes some minutes to count everywhere.",
    )


def principal(context: Context, number: str) -> str:
    """Name the server's ServiceAccount as IAM knows it.

    Args:
        number: the project's.
    """
    variables = context.variables
    return (
        f"principal://iam.googleapis.com/projects/{number}/locations/global"
        f"/workloadIdentityPools/{variables.project}.svc.id.goog"
        f"/subject/ns/{variables.kube.namespace}/sa/{variables.kube.service_account}"
    )


def _grant(context: Context, name: str, role: str, member: str) -> Change:
    grant = Grant(name, role, member)
    return Change(
        differences=[Difference(f"gs://{name} {role}", None, member)],
        command=grant.argv,
        apply=lambda: context.connections.storage.change(grant),
        planned={members_key(context): members(context) | {(role, member)}},
    )


def _revoke(context: Context, name: str, role: str, member: str) -> Change:
    grant = Grant(name, role, member, wanted=False)
    return Change(
        differences=[Difference(f"gs://{name} {role}", member, None)],
        command=grant.argv,
        apply=lambda: context.connections.storage.change(grant),
        planned={members_key(context): members(context) - {(role, member)}},
    )


def _short(context: Context) -> str:
    kube = context.variables.kube
    return f"ServiceAccount {kube.namespace}/{kube.service_account}"


def _by_hand(context: Context, *, wanted: bool) -> list[str]:
    """Write the command with the project's number, which only the cloud knows, put in by the shell."""
    bucket, name = context.variables.bucket, "PROJECT_NUMBER"
    command = Grant(bucket.name, bucket.role, principal(context, f"${name}"), wanted).argv
    return with_value(name, project_number_command(context.variables.project), command)
