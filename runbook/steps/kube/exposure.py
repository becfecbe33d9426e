"""The address of a Service that is reached from outside: what is known of it, and how to wait for it."""

from __future__ import annotations

import time
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.watching import View, viewing
from runbook.engine.errors import FailedError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client, live
from runbook.steps.kube.permitted import listed
from runbook.steps.kube.polling import poll, until_news
from runbook.steps.kube.trouble import latest

DEADLINE_SECONDS: Final = 600.0
_OLD_SECONDS: Final = 240.0
"""GKE makes a balancer of another kind in about a minute; other clusters may know no kinds, and keep it."""
_KIND: Final = "networking.gke.io/load-balancer-type"


def is_exposed(service: Object) -> bool:
    """Tell whether an object is a Service that gets an address outside the cluster."""
    return bool(service["kind"] == "Service" and service["spec"].get("type") == "LoadBalancer")


def address(service: Object) -> str:
    """Give the address and port of a Service's load balancer; nothing where it has none yet."""
    for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress", ()):
        found = ingress.get("ip") or ingress.get("hostname")
        if found:
            return f"{found}:{service['spec']['ports'][0]['port']}"
    return ""


def leaving(context: Context, wanted: Object) -> str:
    """Give the address that a Service will not keep, as its load balancer is to be of another kind.

    Args:
        wanted: the Service as it will be applied.
    """
    present = live(context, Reference.to(wanted))
    return "" if present is None or _kind(present) == _kind(wanted) else address(present)


def _kind(service: Object) -> tuple[str, str]:
    annotations = service["metadata"].get("annotations") or {}
    return service["spec"].get("type", ""), annotations.get(_KIND, "")


def wait(context: Context, reference: Reference, old: str) -> None:
    """Wait until a Service's load balancer has its address.

    Args:
        old: the address that it should leave, which counts only after four minutes; empty: none.

    Raises:
        FailedError: it has none after ten minutes; the message holds what was last told of it.
    """
    told = ["nothing was told of it"]
    old_until = time.monotonic() + _OLD_SECONDS
    with viewing(client(context)) as view:
        poll(
            context,
            lambda: _look(context, view, reference, old if time.monotonic() < old_until else "", told),
            limit_seconds=DEADLINE_SECONDS,
            late=lambda: f"{reference} has no address after {DEADLINE_SECONDS:.0f} s: {told[0]}",
            rest=until_news(context, view),
        )


def _look(context: Context, view: View, reference: Reference, old: str, told: list[str]) -> str | None:
    service = view.get(reference)
    if service is None:
        raise FailedError(f"{reference} was deleted while its address was awaited")
    found = address(service)
    if found and found != old:
        return found
    fields = f"involvedObject.name={reference.name}"
    events = listed(lambda: view.list("v1", "Event", reference.namespace, fields=fields))
    if events:
        told[0] = f"{latest(events).get('reason')}: {latest(events).get('message')}"
    lacking = f"still has its old address {found}" if found else "has no address yet"
    context.report.condition(f"{reference} {lacking}; {told[0]}")
    return None
