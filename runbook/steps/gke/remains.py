"""What still costs money is named: clusters, node pools, the bucket, load balancer addresses.

Section 6.6, beyond the guide (D33): deleting the workload stops none of these.
"""

from __future__ import annotations

from collections.abc import Sequence

from runbook.engine.bill import Bill
from runbook.engine.change import StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.bills import cluster_bills
from runbook.steps.storage.bills import bucket_bill
from runbook.steps.storage.reads import bucket, bucket_key


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:
    """Look at what is left of all that setup makes."""
    yield from ()  # a step is a generator, also one that changes nothing
    left = "; ".join(_with_price(context, bill) for bill in bills(arguments, context))
    return (f"still costs: {left}" if left else "nothing that this runbook made is left") + _reservation(
        context
    )


def bills(arguments: Arguments, context: Context) -> Sequence[Bill]:  # noqa: ARG001 - every step takes its arguments
    """Name what is left and costs money."""
    return [*cluster_bills(context), *_addresses(context), *_bucket(context)]


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to look, by hand, at what is left."""
    variables = context.variables
    project = [f"--project={variables.project}"] if variables.project else []
    google = [
        ["gcloud", "container", "clusters", "list", *project],
        ["gcloud", "compute", "forwarding-rules", "list", *project, f"--regions={variables.region}"],
    ]
    return Manual(
        check=[
            *(google if variables.provider != "kubeconfig" else []),
            [*("gcloud", "storage", "buckets", "list"), *project, f"--filter=name={variables.bucket.name}"],
        ],
        note="Nothing is changed: it only looks. What is listed still costs money.",
    )


def _with_price(context: Context, bill: Bill) -> str:
    if bill.hourly is None:
        return str(bill)
    return f"{bill} {bill.hourly:.2f} {context.variables.prices.currency or ''}".rstrip() + " an hour"


def _reservation(context: Context) -> str:
    pool = context.variables.node_pool
    if context.variables.provider == "kubeconfig" or pool.capacity != "reservation":
        return ""
    return f"; the reservation {pool.reservation} is paid for whether or not it is used"


def _addresses(context: Context) -> Sequence[Bill]:
    variables = context.variables
    if variables.provider == "kubeconfig":
        return []
    rules = context.facts.read(
        ("compute", "forwarding rules", variables.project, variables.region),
        lambda: context.connections.projects.forwarding_rules(variables.project, variables.region),
    )
    price = variables.prices.load_balancer
    return [
        Bill(f"load balancer {rule['name']}", rule.get("IPAddress", "no address"), price) for rule in rules
    ]


def _bucket(context: Context) -> Sequence[Bill]:
    found = bucket(context)
    if found is None:
        return []
    held = context.facts.read(
        (*bucket_key(context), "everything"), lambda: context.connections.storage.objects(found.name)
    )
    return [bucket_bill(context, len(held), sum(one.size for one in held))]
