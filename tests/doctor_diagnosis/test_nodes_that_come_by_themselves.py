"""Where GKE makes nodes for Pods that wait, a Pod that fits none is not yet a trouble."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.doctor.diagnosis.naming import named
from runbook.doctor.diagnosis.snapshot import Snapshot
from runbook.doctor.diagnosis.texts import texts
from tests.steps_kube.deployment_place import variables_with

SELECTOR = {"cloud.google.com/gke-tpu-accelerator": "tpu7x", "cloud.google.com/gke-tpu-topology": "2x2x1"}
UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
}
POD = {
    "metadata": {
        "name": "vllm-tpu-1",
        "namespace": "default",
        "uid": "1",
        "labels": {"app": "vllm-tpu"},
        "creationTimestamp": "2026-11-23T12:00:00Z",
    },
    "spec": {"nodeSelector": SELECTOR, "containers": [{"name": "vllm-tpu"}]},
    "status": {"phase": "Pending", "conditions": [UNSCHEDULABLE]},
}
NODE = {"metadata": {"name": "system", "labels": {}}, "spec": {}, "status": {"allocatable": {}}}
MAKE_NODES: dict[str, dict[str, Any]] = {
    "Autopilot": {"autopilot": {"enabled": True}},
    "auto-provisioning": {"autoscaling": {"enableNodeAutoprovisioning": True}},
    "flex-start": {
        "nodePools": [{"name": "tpu7x-pool", "autoscaling": {"enabled": True, "maxNodeCount": 1}}]
    },
}


def event(message: str) -> dict[str, Any]:
    """What the cluster autoscaler says about the Pod."""
    return {
        "metadata": {"name": "e", "namespace": "default", "resourceVersion": "7"},
        "involvedObject": {"uid": "1"},
        "type": "Normal",
        "reason": "NotTriggerScaleUp",
        "message": message,
        "lastTimestamp": "2026-11-23T12:00:30Z",
    }


def ids(cluster: dict[str, Any], *events: dict[str, Any]) -> list[str]:
    seen = Snapshot(variables_with().variables, cluster=cluster, pods=[POD], nodes=[NODE], events=[*events])
    return [symptom.id for symptom in named(seen, texts(seen))]


def test_a_node_pool_of_fixed_size() -> None:
    assert ids({}) == ["s18-no-node-matches"]


@pytest.mark.parametrize("cluster", MAKE_NODES.values(), ids=MAKE_NODES.keys())
def test_a_node_may_still_come(cluster: dict[str, Any]) -> None:
    assert ids(cluster) == []


@pytest.mark.parametrize("cluster", MAKE_NODES.values(), ids=MAKE_NODES.keys())
def test_no_node_will_come(cluster: dict[str, Any]) -> None:
    refused = event("pod didn't trigger scale-up: 1 node(s) didn't match Pod's node affinity/selector")
    assert ids(cluster, refused) == ["s18-no-node-matches"]


def test_a_node_could_not_be_had() -> None:
    backoff = event("pod didn't trigger scale-up: 1 in backoff after failed scale-up")
    assert ids(MAKE_NODES["flex-start"], backoff) == ["s19-scale-up-in-backoff"]
