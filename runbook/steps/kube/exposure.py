"""The address of a Service that is reached from outside: what is known of it, and how to wait for it."""

from __future__ import annotations

from functools import partial
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.watching import View, viewing
from runbook.engine.errors import FailedError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.permitted import listed
from runbook.steps.kube.polling import poll, until_news
from runbook.steps.kube.trouble import latest

DEADLINE_SECONDS: Final = 600.0


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


def wait(context: Context, reference: Reference) -> None:
    """Wait until a Service's load balancer has its address.

    Raises:
        FailedError: it has none after ten minutes; the message holds what was last told of it.
    """
    told = ["nothing was told of it"]
    with viewing(client(context)) as view:
        poll(
            context,
            partial(_look, context, view, reference, told),
            limit_seconds=DEADLINE_SECONDS,
            late=lambda: f"{reference} has no address after {DEADLINE_SECONDS:.0f} s: {told[0]}",
            rest=until_news(context, view),
        )


def _look(context: Context, view: View, reference: Reference, told: list[str]) -> str | None:
    service = view.get(reference)
    if service is None:
        raise FailedError(f"{reference} was deleted while its address was awaited")
    found = address(service)
    if found:
        return found
    fields = f"involvedObject.name={reference.name}"
    events = listed(lambda: view.list("v1", "Event", reference.namespace, fields=fields))
    if events:
        told[0] = f"{latest(events).get('reason')}: {latest(events).get('message')}"
    context.report.condition(f"{reference} has no address yet; {told[0]}")
    return None
