"""The scheduler: which node a Pod gets, and why it gets none."""

from __future__ import annotations

from typing import Any

from tests.kube_control.kube_stand_in import KEY, Json, Kube, StandIn, condition, facts, gone, node, wait

SELECTOR = {
    "cloud.google.com/gke-tpu-accelerator": "tpu7x",
    "cloud.google.com/gke-tpu-topology": "2x2x1",
}


def pod(name: str, *, tpu: int = 0, **spec: Any) -> Json:
    resources = {"google.com/tpu": str(tpu)} if tpu else {}
    container = {
        "name": "main",
        "image": "busybox:1.37",
        "command": ["sleep", "100"],
        "resources": {"limits": resources, "requests": resources},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **spec},
    }


def placed(kube: Kube, name: str) -> str:
    found = kube.wait("Pod", name, until=condition("PodScheduled"))
    return str(found["spec"]["nodeName"])


def refusal(kube: Kube, name: str) -> str:
    found = kube.wait("Pod", name, until=condition("PodScheduled", "False", "Unschedulable"))
    entries = [entry for entry in found["status"]["conditions"] if entry["type"] == "PodScheduled"]
    assert kube.events(name, "FailedScheduling") == [entries[0]["message"]]
    return str(entries[0]["message"].partition(" preemption:")[0])


def test_a_pod_that_asks_for_tpus_tolerates_their_taint(kube: Kube) -> None:
    (made,) = kube.apply(pod("server", tpu=4))
    toleration = {"key": "google.com/tpu", "operator": "Exists", "effect": "NoSchedule"}
    assert toleration in made["spec"]["tolerations"]
    assert placed(kube, "server") == "gke-tpu"


def test_a_pod_without_tpus_is_kept_off_their_node_by_its_taint(kube: Kube) -> None:
    kube.apply(pod("bench", nodeSelector=SELECTOR))
    assert refusal(kube, "bench") == (
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector,"
        " 1 node(s) had untolerated taint {google.com/tpu: present}."
    )


def test_with_a_toleration_it_runs_there(kube: Kube) -> None:
    tolerations = [{"key": "google.com/tpu", "operator": "Exists", "effect": "NoSchedule"}]
    kube.apply(pod("bench", nodeSelector=SELECTOR, tolerations=tolerations))
    assert placed(kube, "bench") == "gke-tpu"


def test_chips_are_given_once(kube: Kube) -> None:
    kube.apply(pod("first", tpu=4, nodeSelector=SELECTOR))
    placed(kube, "first")
    kube.apply(pod("second", tpu=4, nodeSelector=SELECTOR))
    assert refusal(kube, "second") == (
        "0/2 nodes are available: 1 Insufficient google.com/tpu,"
        " 1 node(s) didn't match Pod's node affinity/selector."
    )
    kube.delete("Pod", "first")
    assert placed(kube, "second") == "gke-tpu"


def test_a_cordoned_node_takes_no_pods(kube: Kube) -> None:
    kube.merge("Node", "gke-default", {"spec": {"unschedulable": True}})
    kube.apply(pod("plain"))
    assert "1 node(s) were unschedulable" in refusal(kube, "plain")
    kube.merge("Node", "gke-default", {"spec": {"unschedulable": None}})
    assert placed(kube, "plain") == "gke-default"


def test_a_claim_must_be_there_and_bound(kube: Kube) -> None:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    kube.apply(pod("reader", volumes=volumes))
    assert refusal(kube, "reader") == '0/2 nodes are available: persistentvolumeclaim "data" not found.'
    kube.apply("""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, volumeName: none}
""")
    wait(lambda: any("pod has unbound immediate" in text for text in kube.events("reader")))


def test_nodes_come_and_go_with_their_pool_and_take_their_pods_along(stand_in: StandIn) -> None:
    kube = stand_in.create(facts(node("gke-default")))
    kube.apply(pod("server", tpu=4))
    assert refusal(kube, "server").startswith("0/1 nodes are available: 1 Insufficient google.com/tpu.")
    stand_in.run(stand_in.clusters.update(KEY, facts(node("gke-default"), node("gke-tpu", tpu=4))))
    assert placed(kube, "server") == "gke-tpu"
    stand_in.run(stand_in.clusters.update(KEY, facts(node("gke-default"))))
    assert [found["metadata"]["name"] for found in kube.items("Node")] == ["gke-default"]
    kube.wait("Pod", "server", until=gone)


def test_a_node_shows_its_chips_labels_and_taints(kube: Kube) -> None:
    found = kube.get("Node", "gke-tpu")
    assert found is not None
    assert found["status"]["allocatable"]["google.com/tpu"] == "4"
    assert found["metadata"]["labels"]["cloud.google.com/gke-tpu-topology"] == "2x2x1"
    assert found["spec"]["taints"] == [{"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"}]
    assert found["status"]["nodeInfo"]["kubeletVersion"] == "v1.34.1-gke.1829001"
    assert condition("Ready")(found)
