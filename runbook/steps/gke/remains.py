"""What still costs money is named: clusters, node pools, the bucket, load balancer addresses.

Section 6.6, beyond the guide (D33): deleting the workload stops none of these.
"""

from __future__ import annotations

from runbook.engine.change import StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.reads import cluster
from runbook.steps.model.sizes import bytes_text
from runbook.steps.storage.reads import bucket


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Look at what is left of all that setup makes."""
    yield from ()  # a step is a generator, also one that changes nothing
    left = [*_cluster(context), *_addresses(context), *_bucket(context)]
    return "still costs: " + "; ".join(left) if left else "nothing that this runbook made is left"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to look, by hand, at what is left."""
    variables = context.variables
    google = [
        ["gcloud", "container", "clusters", "list", f"--project={variables.project}"],
        [
            *("gcloud", "compute", "forwarding-rules", "list", f"--project={variables.project}"),
            f"--regions={variables.region}",
        ],
    ]
    return Manual(
        check=[
            *(google if variables.provider != "kubeconfig" else []),
            ["gcloud", "storage", "du", "--summarize", f"gs://{variables.bucket.name}"],
        ],
        note="Nothing is changed: it only looks. What is listed still costs money.",
    )


def _cluster(context: Context) -> list[str]:
    found = cluster(context) if context.variables.provider != "kubeconfig" else None
    if found is None:
        return []
    pools = [f"node pool {pool['name']} ({pool['config']['machineType']})" for pool in found["nodePools"]]
    return [f"cluster {found['name']}", *pools]


def _addresses(context: Context) -> list[str]:
    variables = context.variables
    if variables.provider == "kubeconfig":
        return []
    rules = context.facts.read(
        ("compute", "forwarding rules", variables.project, variables.region),
        lambda: context.connections.projects.forwarding_rules(variables.project, variables.region),
    )
    return [f"load balancer {rule['name']} ({rule.get('IPAddress', 'no address')})" for rule in rules]


def _bucket(context: Context) -> list[str]:
    found = bucket(context)
    if found is None:
        return []
    held = context.connections.storage.objects(found.name)
    return [f"bucket {found.name}: {len(held)} objects, {bytes_text(sum(one.size for one in held))}"]
