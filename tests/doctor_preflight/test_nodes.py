"""P11 to P13."""

from __future__ import annotations

import pytest

from runbook.clients.kube.objects import Reference
from tests.doctor_preflight.patient import SYSTEM_POOL, facts
from tests.rehearsal.stand_in import eventually

WORKLOAD = {"workloadPool": "rehearsal-project.svc.id.goog"}
DRIVER = {"gcsFuseCsiDriverConfig": {"enabled": True}}


def change(patient, reference, patch):
    with patient.kubernetes() as cluster:
        cluster.merge_patch(reference, patch, field_manager="somebody")


def tpu_node(patient):
    with patient.kubernetes() as cluster:
        label = {"cloud.google.com/gke-nodepool": "tpu7x-pool"}
        return Reference.to(cluster.list("v1", "Node", "", labels=label)[0])


def wait_for_a_node(patient, name):
    with patient.kubernetes() as cluster:
        pod = Reference("v1", "Pod", "default", name)
        eventually(lambda: "nodeName" in cluster.get(pod)["spec"])


def pod_with_chips(name, **metadata):
    chips = {"google.com/tpu": "4"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"} | metadata,
        "spec": {
            "containers": [
                {
                    "name": "holder",
                    "image": "busybox:1.36",
                    "command": ["sleep", "600"],
                    "resources": {"limits": chips, "requests": chips},
                }
            ],
        },
    }


def test_without_a_cluster_nothing_is_missed(patient):
    assert facts(patient.findings("P11")) == [
        ("ok", "there is no cluster yet: 2.3.1 and 2.3.4 switch them on")
    ]
    assert facts(patient.findings("P12")) == [("ok", "there are no TPU nodes yet: 2.4 makes them")]
    assert facts(patient.findings("P13")) == [("ok", "there are no TPU nodes yet: 2.4 makes them")]


def test_a_cluster_without_the_pool_waits_for_2_4(patient):
    patient.make_cluster(nodePools=[SYSTEM_POOL])
    assert facts(patient.findings("P12")) == [("ok", "there are no TPU nodes yet: 2.4 makes them")]


def test_autopilot_makes_nodes_for_pods(patient):
    patient.make_cluster(autopilot={"enabled": True}, nodePools=[])
    looked = patient.with_settings("cluster.mode=autopilot")
    assert facts(looked.findings("P12")) == [("ok", "Autopilot makes TPU nodes when a Pod asks for them")]


def test_nodes_that_autopilot_made_for_the_server_are_its_own(patient):
    patient.make_cluster(autopilot={"enabled": True}, nodePools=[])
    selector = {
        "cloud.google.com/gke-tpu-accelerator": "tpu7x",
        "cloud.google.com/gke-tpu-topology": "2x2x1",
    }
    pod = pod_with_chips("vllm-tpu-0", labels={"app": "vllm-tpu"})
    pod["spec"]["nodeSelector"] = selector
    patient.apply(pod)
    wait_for_a_node(patient, "vllm-tpu-0")
    patient.tell(reservations={"rehearsal-reservation": {"count": 1, "in_use": 1}})
    looked = patient.with_settings("cluster.mode=autopilot")
    assert looked.finding("P7").fact == "the TPU nodes have their machines"
    assert looked.finding("P12").fact == "1 ready with 4 chips, labels and taint as expected"
    assert looked.finding("P13").fact == "0 of 4 chips are free, the server holds 4, it needs 4"


def test_features_that_are_off_are_switched_on_by_their_steps(patient):
    patient.make_cluster(workloadIdentityConfig={})
    assert facts(patient.findings("P11")) == [
        ("ok", "is off: 2.3.1 switches it on"),
        ("ok", "is off: 2.3.4 switches it on"),
    ]


def test_daemons_on_every_node(equipped):
    assert facts(equipped.findings("P11")) == [("ok", "is ready on all 2 node(s)")] * 2


def test_a_daemon_that_is_not_ready_everywhere_fails(patient):
    patient.make_cluster(addonsConfig=DRIVER)
    patient.report_status(
        "/apis/apps/v1/namespaces/kube-system/daemonsets/gcsfusecsi-node", {"numberReady": 3}
    )
    found = {finding.topic: finding for finding in patient.findings("P11")}
    assert found["P11 daemons gke-metadata-server"].verdict == "ok"
    driver = found["P11 daemons gcsfusecsi-node"]
    assert (driver.verdict, driver.fact) == ("failed", "is ready on 3 of 4 nodes: Pods there do not start")


def test_tpu_nodes_that_are_as_they_should_be(equipped):
    assert facts(equipped.findings("P12")) == [("ok", "1 ready with 4 chips, labels and taint as expected")]


def test_a_pool_without_a_node_fails(patient):
    patient.make_cluster()
    node = tpu_node(patient)
    with patient.kubernetes() as cluster:
        cluster.delete(node)
    assert facts(patient.findings("P12")) == [("failed", "node pool tpu7x-pool is RUNNING and has no node")]
    assert patient.with_settings("node_pool.capacity=flex-start").finding("P12").verdict == "ok"


def test_a_pool_that_could_not_be_made_says_why(patient):
    patient.make_cluster(nodePools=[SYSTEM_POOL])
    patient.cloud.control(
        "POST",
        "faults",
        {"kind": "operation_error", "method": "POST", "path": "/nodePools$", "message": "GCE_STOCKOUT: none"},
    )
    patient.make_pool()
    assert facts(patient.findings("P12")) == [("failed", "node pool tpu7x-pool is ERROR: GCE_STOCKOUT: none")]
    assert "inv step 6.2" in patient.finding("P12").remedy


def test_a_node_that_was_cordoned_fails(patient):
    patient.make_cluster()
    node = tpu_node(patient)
    change(patient, node, {"spec": {"unschedulable": True}})
    found = patient.finding("P12")
    assert found.fact == f"{node.name} is cordoned: no new Pod starts there"
    assert found.verdict == "failed"
    assert found.remedy.startswith(f"kubectl uncordon {node.name} --kubeconfig=")


def test_a_node_with_another_topology_is_told(patient):
    patient.make_cluster()
    node = tpu_node(patient)
    change(patient, node, {"metadata": {"labels": {"cloud.google.com/gke-tpu-topology": "2x2x2"}}})
    assert facts(patient.findings("P12")) == [
        (
            "failed",
            f"{node.name} has cloud.google.com/gke-tpu-topology=2x2x2, and the server asks for 2x2x1",
        )
    ]


def test_a_taint_of_somebody_else_fails(patient):
    patient.make_cluster()
    node = tpu_node(patient)
    taints = [
        {"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"},
        {"key": "team", "value": "blue", "effect": "NoSchedule"},
    ]
    change(patient, node, {"spec": {"taints": taints}})
    assert facts(patient.findings("P12")) == [
        ("failed", f"{node.name} has the taint team:NoSchedule, which the server does not tolerate")
    ]


def test_a_node_without_the_taint_is_warned_about(patient):
    patient.make_cluster()
    change(patient, tpu_node(patient), {"spec": {"taints": None}})
    assert patient.finding("P12").verdict == "warning"


@pytest.mark.parametrize(
    ("status", "fact"),
    [
        ({"conditions": [{"type": "Ready", "status": "False", "message": "no CNI"}]}, "is not ready: no CNI"),
        ({"allocatable": {"google.com/tpu": "0"}}, "is ready and offers 0 chips, not 4"),
    ],
)
def test_a_node_that_is_not_ready_or_offers_no_chips_fails(patient, status, fact):
    patient.make_cluster()
    node = tpu_node(patient)
    patient.report_status(f"/api/v1/nodes/{node.name}", status)
    found = patient.findings("P12")
    assert [(finding.verdict, fact in finding.fact) for finding in found] == [("failed", True)]


def test_chips_that_are_free(equipped):
    assert equipped.finding("P13").fact == "4 of 4 chips are free, the server holds 0, it needs 4"


def test_chips_that_somebody_else_holds(patient):
    patient.make_cluster()
    patient.apply(pod_with_chips("neighbour"))
    wait_for_a_node(patient, "neighbour")
    found = patient.finding("P13")
    assert (found.verdict, found.fact) == (
        "failed",
        "1 Pod(s) want 4 chips each, and there is room for 0; others hold: default/neighbour (4)",
    )


def test_chips_that_the_server_itself_holds_are_its_own(equipped, prepared):
    prepared.deploy()
    assert equipped.finding("P13").fact == "0 of 4 chips are free, the server holds 4, it needs 4"
