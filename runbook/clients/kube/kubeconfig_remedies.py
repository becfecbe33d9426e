"""What helps where the login or the certificate of a kubeconfig's context does not work."""

from __future__ import annotations

from runbook.clients import permissions
from runbook.clients.kube.access import Remedies
from runbook.clients.kube.kubeconfig_context import Item, KubeContext


def of_kubeconfig(chosen: KubeContext) -> Remedies:
    """Name the file, and whom in it, the operator has to look at: the runbook only reads it."""
    return Remedies(
        login=_login(chosen),
        certificate=_certificate(chosen.cluster),
        permission=permissions.in_any_cluster,
    )


def _login(chosen: KubeContext) -> str:
    user = chosen.user
    who = f"user {user.name} of {user.place}"
    if not user.name:
        return f"the context {chosen.name} names no user: name one in {user.place}"
    if path := user.path("tokenFile"):
        return f"put a token that the cluster accepts into {path}: {who} logs in by that file"
    if user.content.get("token"):
        return f"put a token that the cluster accepts into {who}, or ask whoever keeps the cluster for one"
    if command := user.section("exec").get("command"):
        return f"log in anew as the plug-in {command} wants it: {who} logs in by it"
    return f"give {who} a login that the cluster accepts"


def _certificate(cluster: Item) -> str:
    return f"look at server and certificate-authority of cluster {cluster.name} of {cluster.place}"
