"""A TPU node as GKE makes it: tainted and labelled at once, its chips when their plugin has registered."""

from __future__ import annotations

from rehearsal.world import Settings
from tests.kube_control.kube_stand_in import KEY, Json, Kube, StandIn, condition, facts, gone, node, wait

CHIPS = "google.com/tpu"


def has_chips(found: Json | None) -> bool:
    return found is not None and CHIPS in found["status"]["capacity"]


def has_team(found: Json | None) -> bool:
    return found is not None and "team" in found["metadata"]["labels"]


def tpu_pod(name: str = "server") -> Json:
    resources = {"limits": {CHIPS: "4"}, "requests": {CHIPS: "4"}}
    container = {"name": "main", "image": "busybox", "command": ["sleep", "100"], "resources": resources}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def test_the_node_is_ready_before_it_has_chips_and_the_pod_waits_for_them(stand_in: StandIn) -> None:
    stand_in.world.settings = Settings(time_scale=0.1)
    kube = stand_in.create(facts())
    young = kube.wait("Node", "gke-tpu", until=condition("Ready"))
    assert young["spec"]["taints"] == [{"key": CHIPS, "value": "present", "effect": "NoSchedule"}]
    assert young["metadata"]["labels"]["cloud.google.com/gke-tpu-topology"] == "2x2x1"
    assert not has_chips(young)
    kube.apply(tpu_pod())
    kube.wait("Pod", "server", until=condition("PodScheduled", "False", "Unschedulable"))
    (message,) = kube.events("server", "FailedScheduling")
    assert "2 Insufficient google.com/tpu" in message
    kube.wait("Pod", "server", until=condition("PodScheduled"))
    grown = kube.wait("Node", "gke-tpu", until=condition("Ready"))
    assert (grown["status"]["capacity"][CHIPS], grown["status"]["allocatable"][CHIPS]) == ("4", "4")


def test_chips_that_were_registered_stay_when_gke_changes_the_node(kube: Kube) -> None:
    kube.wait("Node", "gke-tpu", until=has_chips)
    changed = facts(node("gke-default"), node("gke-tpu", tpu=4) | {"labels": {"team": "serving"}})
    kube.stand_in.run(kube.stand_in.clusters.update(KEY, changed))
    found = kube.wait("Node", "gke-tpu", until=has_team)
    assert has_chips(found)


def test_each_node_has_a_lease_that_goes_with_it(kube: Kube) -> None:
    def holders() -> list[str]:
        leases = kube.items("Lease", "kube-node-lease")
        return [lease["spec"]["holderIdentity"] for lease in leases]

    wait(holders, lambda found: found == ["gke-default", "gke-tpu"])
    kube.delete("Node", "gke-tpu")
    kube.wait("Node", "gke-tpu", until=gone)
    wait(holders, lambda found: found == ["gke-default"])
