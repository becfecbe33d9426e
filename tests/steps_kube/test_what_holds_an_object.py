"""An object that does not go is told with what holds it: what a namespace has left, a Pod and its node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import CredentialsError
from runbook.steps.kube import removal
from runbook.steps.kube.holding import holding
from tests.steps_kube.deployment_place import TEMPLATES, Place

NOW = "2026-11-28T12:00:00Z"


@dataclass
class Cluster:
    """Answers reads.

    Args:
        pods: what a list of Pods gives.
        node: what a node is; None: it is gone, or the login may not read it where `refused`.
    """

    pods: list[Object]
    node: Object | None = None
    refused: bool = False

    def get(self, reference: Reference) -> Object | None:
        if self.refused:
            raise CredentialsError(f"{reference} may not be read")
        return self.node

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str,
        labels: Mapping[str, str] | None = None,
        fields: str = "",
    ) -> list[Object]:
        assert (api_version, kind, namespace, labels, fields) == ("v1", "Pod", "llm", {"app": "a"}, "")
        return self.pods

    def logs(self, *_: Any, **__: Any) -> str:
        raise NotImplementedError


def pod(name: str, **metadata: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "llm", **metadata},
        "spec": {"nodeName": "tpu-1"},
    }


DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a", "namespace": "llm", "finalizers": ["foregroundDeletion"]},
    "spec": {"selector": {"matchLabels": {"app": "a"}}},
}
LOST: Object = {
    "status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}
}


@pytest.mark.parametrize(
    ("cluster", "where"),
    [
        (Cluster([], LOST), ", which is not ready: NodeStatusUnknown"),
        (Cluster([], None), ", which is gone"),
        (Cluster([], {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}), ""),
        (Cluster([], refused=True), ""),
    ],
    ids=["lost", "gone", "ready", "not to be read"],
)
def test_a_pod_that_does_not_end_is_named_with_its_node(cluster: Cluster, where: str) -> None:
    cluster.pods = [pod("a-1", deletionTimestamp=NOW), pod("a-2")]
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
    assert holding(Cluster([]), namespace) == f"namespace/llm is held by kubernetes ({remaining})"


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
