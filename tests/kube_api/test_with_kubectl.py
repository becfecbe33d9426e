"""What an operator does with the real kubectl."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from rehearsal.kube.api.kinds import kind_of

pytestmark = pytest.mark.clients


def test_get_prints_the_columns_of_each_kind(cluster: Any, deployment: dict[str, Any]) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(deployment))
    lines = cluster.kubectl("get", "deployment").stdout.splitlines()
    assert lines[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert lines[1].split()[:4] == ["vllm-tpu", "0/1", "0", "0"]
    wide = cluster.kubectl("get", "deploy", "-o", "wide").stdout.splitlines()
    assert wide[1].split()[5:] == ["vllm-tpu", "vllm/vllm-tpu:v0.13.2", "app=vllm-tpu"]


def test_get_shows_why_a_pod_does_not_run(cluster: Any) -> None:
    pod = {
        "metadata": {"name": "server", "namespace": "default"},
        "spec": {"nodeName": "n1", "containers": [{"name": "a"}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": "a",
                    "restartCount": 3,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-29T00:00:00Z"}},
                }
            ],
        },
    }
    cluster.call(cluster.store.create, kind_of("Pod"), pod)
    line = cluster.kubectl("get", "pods", "--no-headers").stdout.split()
    assert line[:4] == ["server", "0/1", "CrashLoopBackOff", "3"]


def test_every_kind_can_be_listed_by_its_short_name(cluster: Any) -> None:
    listed = cluster.kubectl("get", "no,ns,pv,pvc,po,svc,cm,sa,ev,deploy,rs,sts,ds,jobs,quota,sc,crd", "-A")
    assert "kube-system" in listed.stdout


def test_a_second_apply_differs_in_nothing(cluster: Any, deployment: dict[str, Any]) -> None:
    manifest = json.dumps(deployment)
    before = cluster.kubectl("diff", "-f", "-", stdin=manifest, check=False)
    assert before.returncode == 1
    assert cluster.kubectl("apply", "-f", "-", stdin=manifest).stdout == "deployment.apps/vllm-tpu created\n"
    assert (
        cluster.kubectl("apply", "-f", "-", stdin=manifest).stdout == "deployment.apps/vllm-tpu unchanged\n"
    )
    assert cluster.kubectl("diff", "-f", "-", stdin=manifest).stdout == ""


def test_client_side_apply_hands_over_to_server_side_apply(cluster: Any, deployment: dict[str, Any]) -> None:
    manifest = json.dumps(deployment)
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    applied = cluster.kubectl("apply", "--server-side", "-f", "-", stdin=manifest)
    assert applied.stdout == "deployment.apps/vllm-tpu serverside-applied\n"
    live = cluster.store.get(kind_of("Deployment"), "default", "vllm-tpu")
    managers = {entry["manager"] for entry in live["metadata"]["managedFields"]}
    assert managers == {"kubectl", "kubectl-last-applied"}
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=manifest)
    again = cluster.store.get(kind_of("Deployment"), "default", "vllm-tpu")
    assert again["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]


def test_a_conflict_is_explained(cluster: Any, deployment: dict[str, Any]) -> None:
    cluster.kubectl(
        "apply", "--server-side", "--field-manager=runbook", "-f", "-", stdin=json.dumps(deployment)
    )
    other = copy.deepcopy(deployment)
    other["spec"]["replicas"] = 3
    refused = cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(other), check=False)
    assert 'conflict with "runbook": .spec.replicas' in refused.stderr


def test_an_unknown_field_is_refused(cluster: Any, deployment: dict[str, Any]) -> None:
    deployment["spec"]["replica"] = 2
    refused = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(deployment), check=False)
    assert 'unknown field "spec.replica"' in refused.stderr


def test_scale_label_and_restart(cluster: Any, deployment: dict[str, Any]) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(deployment))
    cluster.kubectl("scale", "deployment/vllm-tpu", "--replicas=2")
    cluster.kubectl("label", "deployment/vllm-tpu", "team=a")
    cluster.kubectl("rollout", "restart", "deployment/vllm-tpu")
    live = cluster.store.get(kind_of("Deployment"), "default", "vllm-tpu")
    assert live["spec"]["replicas"] == 2
    assert live["metadata"]["labels"] == {"team": "a"}
    annotations = live["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


def test_delete_waits_until_the_object_is_gone(cluster: Any, deployment: dict[str, Any]) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(deployment))
    assert cluster.kubectl("delete", "deployment/vllm-tpu").stdout == 'deployment.apps "vllm-tpu" deleted\n'
    missing = cluster.kubectl("get", "deployment/vllm-tpu", check=False)
    assert missing.stderr == 'Error from server (NotFound): deployments.apps "vllm-tpu" not found\n'


def test_wait_and_rollout_status_see_the_status(cluster: Any, deployment: dict[str, Any]) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(deployment))
    live = cluster.store.get(kind_of("Deployment"), "default", "vllm-tpu")
    live["status"] = {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "conditions": [{"type": "Available", "status": "True"}],
    }
    cluster.call(cluster.store.update, kind_of("Deployment"), live, status_only=True)
    rolled = cluster.kubectl("rollout", "status", "deployment/vllm-tpu", "--timeout=20s")
    assert "successfully rolled out" in rolled.stdout
    cluster.kubectl("wait", "deployment/vllm-tpu", "--for=condition=Available", "--timeout=20s")


def test_describe_and_explain(cluster: Any, deployment: dict[str, Any]) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(deployment))
    described = cluster.kubectl("describe", "deployment/vllm-tpu").stdout
    assert "StrategyType:           RollingUpdate" in described
    assert "FIELD: progressDeadlineSeconds <integer>" in (
        cluster.kubectl("explain", "deployment.spec.progressDeadlineSeconds").stdout
    )


def test_create_sends_protobuf_for_simple_kinds(cluster: Any) -> None:
    cluster.kubectl("create", "namespace", "serving")
    in_namespace = ("-n", "serving")
    cluster.kubectl("create", "secret", "generic", "hf", "--from-literal=token=abc", *in_namespace)
    cluster.kubectl("create", "configmap", "files", "--from-literal=a=1", "--from-literal=b=2", *in_namespace)
    cluster.kubectl("create", "serviceaccount", "reader", *in_namespace)
    cluster.kubectl("create", "quota", "few", "--hard=pods=3,requests.google.com/tpu=4", *in_namespace)
    secret = cluster.store.get(kind_of("Secret"), "serving", "hf")
    assert (secret["data"], secret["type"]) == ({"token": "YWJj"}, "Opaque")
    assert cluster.store.get(kind_of("ConfigMap"), "serving", "files")["data"] == {"a": "1", "b": "2"}
    hard = cluster.store.get(kind_of("ResourceQuota"), "serving", "few")["spec"]["hard"]
    assert hard == {"pods": "3", "requests.google.com/tpu": "4"}


def test_create_sends_protobuf_for_workloads_too(cluster: Any) -> None:
    cluster.kubectl("create", "job", "hello", "--image=busybox", "--", "echo", "hi")
    cluster.kubectl("create", "deployment", "web", "--image=a/nginx", "--replicas=0", "--port=80")
    cluster.kubectl("create", "service", "clusterip", "web", "--tcp=80:http")
    job = cluster.store.get(kind_of("Job"), "default", "hello")
    assert job["spec"]["template"]["spec"]["containers"][0]["command"] == ["echo", "hi"]
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    deployment = cluster.store.get(kind_of("Deployment"), "default", "web")
    assert deployment["spec"]["replicas"] == 0
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["ports"][0]["containerPort"]) == ("a/nginx", 80)
    (port,) = cluster.store.get(kind_of("Service"), "default", "web")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, "http")


def test_a_protobuf_body_of_another_kind_is_refused(cluster: Any) -> None:
    cluster.call(cluster.store.create, kind_of("Node"), {"metadata": {"name": "n1"}})
    refused = cluster.kubectl("debug", "node/n1", "--image=x", "--profile=general", check=False)
    assert "UnsupportedMediaType" in refused.stderr
    assert "accepted media types include: application/json" in refused.stderr


def test_version_and_access(cluster: Any) -> None:
    version = json.loads(cluster.kubectl("version", "-o", "json").stdout)
    assert version["serverVersion"]["gitVersion"] == "v1.34.1-gke.1829001"
    assert cluster.kubectl("get", "--raw", "/readyz").stdout == "ok"
    assert cluster.kubectl("auth", "can-i", "create", "pods").stdout == "yes\n"


def test_what_is_not_served_is_told_by_kubectl(cluster: Any) -> None:
    cluster.kubectl("run", "plain", "--image=busybox:1.37")
    ended = cluster.kubectl("debug", "plain", "--image=busybox:1.37", check=False)
    assert ended.returncode == 1
    assert "the server could not find the requested resource (patch pods plain)" in ended.stderr
