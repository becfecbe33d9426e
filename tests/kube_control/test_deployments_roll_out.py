"""Deployments: ReplicaSets, strategies, conditions, and what they say."""

from __future__ import annotations

from typing import Any

from tests.kube_control.kube_stand_in import Json, Kube, condition, gone, wait


def deployment(*, tpu: int = 0, version: str = "1", replicas: int = 1, **spec: Any) -> Json:
    resources = {"google.com/tpu": str(tpu)} if tpu else {"cpu": "1"}
    container = {
        "name": "server",
        "image": "example.com/server:1",
        "command": ["sleep", "1000"],
        "env": [{"name": "VERSION", "value": version}],
        "resources": {"limits": resources, "requests": resources},
    }
    template = {"metadata": {"labels": {"app": "server"}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "server"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "server"}},
            "template": template,
            **spec,
        },
    }


def rolled_out(found: Json | None) -> bool:
    """Judge as kubectl rollout status does."""
    if found is None:
        return False
    status, wanted = found.get("status", {}), found["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return status.get("observedGeneration") == found["metadata"]["generation"] and counts == [wanted] * 3


def test_a_new_deployment_becomes_available(kube: Kube) -> None:
    kube.apply(deployment(replicas=2))
    found = kube.wait("Deployment", "server", until=rolled_out)
    assert condition("Available")(found)
    assert condition("Progressing", "True", "NewReplicaSetAvailable")(found)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    (replica_set,) = kube.items("ReplicaSet")
    digest = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"server-{digest}"
    assert len(kube.pods(app="server", **{"pod-template-hash": digest})) == 2
    name = replica_set["metadata"]["name"]
    assert kube.events("server", "ScalingReplicaSet") == [f"Scaled up replica set {name} from 0 to 2"]


def test_scaling_changes_the_number_of_pods_only(kube: Kube) -> None:
    kube.apply(deployment(replicas=1))
    kube.wait("Deployment", "server", until=rolled_out)
    (first,) = kube.pods(app="server")
    kube.merge("Deployment", "server", {"spec": {"replicas": 3}})
    kube.wait("Deployment", "server", until=rolled_out)
    assert first["metadata"]["name"] in [pod["metadata"]["name"] for pod in kube.pods(app="server")]
    kube.merge("Deployment", "server", {"spec": {"replicas": 0}})
    wait(lambda: kube.pods(app="server"), until=lambda pods: not pods)
    assert len(kube.items("ReplicaSet")) == 1


def test_annotations_of_a_deployment_are_its_newest_replica_sets_too(kube: Kube) -> None:
    kube.apply(deployment())
    kube.wait("Deployment", "server", until=rolled_out)
    kube.merge("Deployment", "server", {"metadata": {"annotations": {"team": "ours"}}})
    (found,) = wait(
        lambda: kube.items("ReplicaSet"), until=lambda sets: "team" in sets[0]["metadata"]["annotations"]
    )
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"


def test_a_rolling_update_on_one_tpu_node_deadlocks(kube: Kube) -> None:
    kube.apply(deployment(tpu=4, progressDeadlineSeconds=2))
    kube.wait("Deployment", "server", until=rolled_out)
    kube.apply(deployment(tpu=4, version="2", progressDeadlineSeconds=2))
    late = condition("Progressing", "False", "ProgressDeadlineExceeded")
    found = kube.wait("Deployment", "server", until=late)
    assert found["status"]["unavailableReplicas"] == 1
    waiting = [pod for pod in kube.pods(app="server") if pod["status"]["phase"] == "Pending"]
    (message,) = kube.events(waiting[0]["metadata"]["name"], "FailedScheduling")
    assert message == (
        "0/2 nodes are available: 2 Insufficient google.com/tpu."
        " preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod,"
        " 1 Preemption is not helpful for scheduling."
    )


def test_without_surge_the_same_update_goes_through(kube: Kube) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    kube.apply(deployment(tpu=4, strategy=strategy))
    kube.wait("Deployment", "server", until=rolled_out)
    kube.apply(deployment(tpu=4, version="2", strategy=strategy))
    found = kube.wait("Deployment", "server", until=rolled_out)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert len(kube.items("ReplicaSet")) == 2


def test_recreate_stops_the_old_pods_before_it_starts_new_ones(kube: Kube) -> None:
    kube.apply(deployment(tpu=4, strategy={"type": "Recreate"}))
    kube.wait("Deployment", "server", until=rolled_out)
    kube.apply(deployment(tpu=4, version="2", strategy={"type": "Recreate"}))
    kube.wait("Deployment", "server", until=rolled_out)
    (pod,) = kube.pods(app="server")
    assert pod["spec"]["containers"][0]["env"] == [{"name": "VERSION", "value": "2"}]
    assert kube.events(pod["metadata"]["name"], "FailedScheduling") == []


def test_going_back_takes_the_old_replica_set_again(kube: Kube) -> None:
    kube.apply(deployment())
    kube.wait("Deployment", "server", until=rolled_out)
    (first,) = kube.items("ReplicaSet")
    kube.apply(deployment(version="2"))
    kube.wait("Deployment", "server", until=rolled_out)
    kube.apply(deployment())
    kube.wait("Deployment", "server", until=rolled_out)
    again = kube.get("ReplicaSet", first["metadata"]["name"])
    assert again is not None
    assert again["spec"]["replicas"] == 1
    assert again["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_a_refused_pod_shows_as_replica_failure(kube: Kube) -> None:
    wanted = deployment()
    wanted["spec"]["template"]["spec"]["serviceAccountName"] = "nobody"
    kube.apply(wanted)
    found = kube.wait("Deployment", "server", until=condition("ReplicaFailure", "True", "FailedCreate"))
    failure = next(entry for entry in found["status"]["conditions"] if entry["type"] == "ReplicaFailure")
    assert (
        'error looking up service account default/nobody: serviceaccount "nobody" not found'
        in (failure["message"])
    )
    assert kube.pods(app="server") == []


def test_a_quota_shows_as_replica_failure(kube: Kube) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}}
    kube.apply({**quota, "spec": {"hard": {"pods": "1"}}})
    kube.apply(deployment(replicas=2))
    found = kube.wait("Deployment", "server", until=condition("ReplicaFailure", "True", "FailedCreate"))
    assert "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1" in str(found["status"])


def test_a_deleted_pod_is_replaced(kube: Kube) -> None:
    kube.apply(deployment())
    kube.wait("Deployment", "server", until=rolled_out)
    (first,) = kube.pods(app="server")
    kube.delete("Pod", first["metadata"]["name"])
    kube.wait("Pod", first["metadata"]["name"], until=gone)
    wait(lambda: kube.pods(app="server"))
    kube.wait("Deployment", "server", until=rolled_out)


def test_deleting_a_deployment_takes_everything_with_it(kube: Kube) -> None:
    kube.apply(deployment())
    kube.wait("Deployment", "server", until=rolled_out)
    kube.delete("Deployment", "server", propagationPolicy="Background")
    wait(lambda: kube.items("ReplicaSet") + kube.pods(app="server"), until=lambda left: not left)


def test_deleting_in_the_foreground_keeps_the_owner_until_the_last_pod_is_gone(kube: Kube) -> None:
    kube.apply(deployment())
    kube.wait("Deployment", "server", until=rolled_out)
    kube.delete("Deployment", "server", propagationPolicy="Foreground")
    kube.wait("Deployment", "server", until=gone)
    assert kube.items("ReplicaSet") + kube.pods(app="server") == []


def test_orphans_stay_and_are_adopted_again(kube: Kube) -> None:
    kube.apply(deployment())
    kube.wait("Deployment", "server", until=rolled_out)
    (replica_set,) = kube.items("ReplicaSet")
    kube.delete("ReplicaSet", replica_set["metadata"]["name"], propagationPolicy="Orphan")
    wait(lambda: kube.items("ReplicaSet"), until=lambda found: found and found[0] != replica_set)
    kube.wait("Deployment", "server", until=rolled_out)
    (pod,) = kube.pods(app="server")
    assert pod["metadata"]["ownerReferences"][0]["uid"] != replica_set["metadata"]["uid"]
