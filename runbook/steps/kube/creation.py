"""Why there is no Pod: admission refuses it, which only the owner's condition or events tell."""

from __future__ import annotations

import re
from typing import Final

from runbook.clients.kube.objects import Object, Reader, Reference
from runbook.steps.kube.permitted import listed, permitted
from runbook.steps.kube.quantities import amount
from runbook.steps.kube.remedies import KUBECTL
from runbook.steps.kube.trouble import SOON_SECONDS, Diagnosis, about, latest

_ACCOUNT: Final = re.compile(r'serviceaccount "(?P<name>[^"]+)" not found')
_QUOTA: Final = re.compile(r"exceeded quota: (?P<name>[^,]+), requested: (?P<requested>[^ ]+),")
_UNSAID: Final = re.compile(r"failed quota: (?P<name>[^:]+): must specify (?P<resources>.+)")
_MADE_BY_ITSELF: Final = "default"


def refused(kube: Reader, owner: Object, cause: str, message: str) -> Diagnosis:
    """Explain a refusal to make Pods.

    The controller tries again after ever longer pauses, so the refusal may be old: what it names is looked at
    as it is now.

    Args:
        owner: whose Pods they are.
        cause: what kind of trouble it counts as.
        message: the refusal.
    """
    namespace = owner["metadata"]["namespace"]
    text = f"no Pod can be made: {message}"
    found = _of_account(kube, namespace, message) or _of_quota(kube, namespace, message)
    lasting, remedy = found or (False, _in_these_words(namespace))
    return Diagnosis(text, cause, 0 if lasting else SOON_SECONDS, text, remedy)


def diagnose_absence(kube: Reader, owner: Object) -> Diagnosis:
    """Tell why there is no Pod of a Job: a quota, or a ServiceAccount that is missing.

    Args:
        owner: the Job.
    """
    metadata = owner["metadata"]
    fields = f"involvedObject.name={metadata['name']}"
    events = listed(lambda: kube.list("v1", "Event", metadata["namespace"], fields=fields))
    failed = [event for event in about(events, owner) if event.get("reason") == "FailedCreate"]
    if not failed:
        return Diagnosis("no Pod yet")
    return refused(kube, owner, "FailedCreate", str(latest(failed)["message"]))


def _in_these_words(namespace: str) -> str:
    return (
        f"see: {KUBECTL} describe replicasets --namespace={namespace};"
        " admission refused the Pod in these words"
    )


def _of_account(kube: Reader, namespace: str, message: str) -> tuple[bool, str] | None:
    found = _ACCOUNT.search(message)
    if found is None:
        return None
    name = found["name"]
    reference = Reference("v1", "ServiceAccount", namespace, name)
    there = permitted(lambda: kube.get(reference) is not None, otherwise=True)
    remedy = (
        f"make it: {KUBECTL} create serviceaccount {name} --namespace={namespace};"
        " or set kube.service_account to one that is there, and run `inv deploy`"
    )
    return name != _MADE_BY_ITSELF and not there, remedy


def _of_quota(kube: Reader, namespace: str, message: str) -> tuple[bool, str] | None:
    """A quota that is smaller than one Pod stays so; what others use of it may become free."""
    if found := _UNSAID.search(message):
        remedy = f"set {found['resources']} in manifests/, or change the ResourceQuota {found['name']}"
        return True, remedy
    found = _QUOTA.search(message)
    if found is None:
        return None
    remedy = (
        f"raise it: {KUBECTL} edit resourcequota {found['name']} --namespace={namespace};"
        " or delete what uses it"
    )
    reference = Reference("v1", "ResourceQuota", namespace, found["name"])
    quota = permitted(lambda: kube.get(reference), otherwise=None)
    hard = (quota or {}).get("spec", {}).get("hard", {})
    lasting = any(
        resource in hard and amount(wanted) > amount(str(hard[resource]))
        for resource, _, wanted in (item.partition("=") for item in found["requested"].split(","))
    )
    return lasting, remedy
