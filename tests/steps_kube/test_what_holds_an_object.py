"""An object that does not go is told with what holds it: what a namespace has left, a Pod and its node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import CredentialsError
from runbook.steps.kube import removal
from runbook.steps.kube.holding import holding
from tests.steps_kube.deployment_place import TEMPLATES, Place
from tests.steps_kube.seen import Seen

NOW = "2026-11-28T12:00:00Z"


def pod(name: str, **metadata: str) -> Object:
    """A Pod of the Deployment."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "llm", "labels": {"app": "a"}, **metadata},
        "spec": {"nodeName": "tpu-1"},
    }


DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a", "namespace": "llm", "finalizers": ["foregroundDeletion"]},
    "spec": {"selector": {"matchLabels": {"app": "a"}}},
}


def node(**ready: str) -> Object:
    """The Pods' node, by what its condition Ready says."""
    conditions = [{"type": "Ready", **ready}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "tpu-1"},
        "status": {"conditions": conditions},
    }


PODS = (pod("a-1", deletionTimestamp=NOW), pod("a-2"))
REFUSED = {"Node": CredentialsError("nodes may not be read")}


@pytest.mark.parametrize(
    ("cluster", "where"),
    [
        (
            Seen(*PODS, node(status="Unknown", reason="NodeStatusUnknown")),
            ", which is not ready: NodeStatusUnknown",
        ),
        (Seen(*PODS), ", which is gone"),
        (Seen(*PODS, node(status="True")), ""),
        (Seen(*PODS, hidden=REFUSED), ""),
    ],
    ids=["lost", "gone", "ready", "not to be read"],
)
def test_a_pod_that_does_not_end_is_named_with_its_node(cluster: Seen, where: str) -> None:
    told = f"deployment/a is held by foregroundDeletion (pod/a-1 does not end on node tpu-1{where})"
    assert holding(cluster, DEPLOYMENT) == told


def test_a_namespace_tells_what_it_still_has() -> None:
    remaining = "Some resources are remaining: services. has 1 resource instances"
    namespace: Object = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "llm", "deletionTimestamp": NOW},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {
            "phase": "Terminating",
            "conditions": [
                {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "All discovered"},
                {"type": "NamespaceContentRemaining", "status": "True", "message": remaining},
            ],
        },
    }
    assert holding(Seen(), namespace) == f"namespace/llm is held by kubernetes ({remaining})"


@pytest.fixture
def held(deployed: Place) -> Iterator[tuple[Place, Reference]]:
    """The server's Pod has a finalizer of somebody, and the wait for it is short."""
    with deployed.cluster() as cluster:
        (found,) = cluster.list("v1", "Pod", "default", labels={"app": "vllm-tpu"})
    reference = Reference.to(found)
    deployed.patch(reference, {"metadata": {"finalizers": ["example.com/held"]}})
    yield deployed, reference
    deployed.patch(reference, {"metadata": {"finalizers": None}})


def test_the_step_that_waits_for_it_says_so(
    held: tuple[Place, Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, pod_held = held
    monkeypatch.setattr(removal, "DEADLINE_SECONDS", 1.5)
    error = place.apply("kube.absent", **TEMPLATES).error
    assert error is not None
    assert f"is held by foregroundDeletion ({pod_held} does not end on node " in error.message
