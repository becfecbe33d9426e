"""Creating, reading, changing and deleting objects through the official Python client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes.client import ApisApi, AppsApi, CoreApi, CoreV1Api, VersionApi
from kubernetes.dynamic import exceptions

from rehearsal.kube.api.kinds import kind_of


def _status(error: Any) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(error.body)
    return status


def _resource(client: Any, kind: str, api_version: str = "v1") -> Any:
    return client.resources.get(api_version=api_version, kind=kind)


def _claim(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "vllm-pvc", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "64Gi"}}, **spec},
    }


def _volume() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "vllm-pv"},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "capacity": {"storage": "64Gi"},
            "csi": {"driver": "gcsfuse.csi.storage.gke.io", "volumeHandle": "bucket"},
        },
    }


def test_a_missing_object_is_not_found(client: Any) -> None:
    with pytest.raises(exceptions.NotFoundError) as refused:
        _resource(client, "PersistentVolumeClaim").get("vllm-pvc", "default")
    status = _status(refused.value)
    assert status["message"] == 'persistentvolumeclaims "vllm-pvc" not found'
    assert status["details"] == {"name": "vllm-pvc", "kind": "persistentvolumeclaims"}


def test_an_object_cannot_be_created_twice(client: Any) -> None:
    _resource(client, "PersistentVolume").create(_volume())
    with pytest.raises(exceptions.ConflictError) as refused:
        _resource(client, "PersistentVolume").create(_volume())
    assert _status(refused.value)["message"] == 'persistentvolumes "vllm-pv" already exists'


def test_what_is_empty_is_left_out(client: Any, deployment: dict[str, Any]) -> None:
    deployment["metadata"]["labels"] = {}
    deployment["spec"]["template"]["spec"]["nodeSelector"] = {}
    deployment["spec"]["template"]["spec"]["containers"][0]["args"] = []
    created = _resource(client, "Deployment", "apps/v1").create(deployment).to_dict()
    assert "labels" not in created["metadata"]
    assert "nodeSelector" not in created["spec"]["template"]["spec"]
    assert "args" not in created["spec"]["template"]["spec"]["containers"][0]


def test_a_namespace_must_be_there(client: Any, deployment: dict[str, Any]) -> None:
    deployment["metadata"]["namespace"] = "nowhere"
    with pytest.raises(exceptions.NotFoundError) as refused:
        _resource(client, "Deployment", "apps/v1").create(deployment)
    assert _status(refused.value)["message"] == 'namespaces "nowhere" not found'


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        ("application/merge-patch+json", {"spec": {"replicas": 2}}),
        ("application/strategic-merge-patch+json", {"spec": {"replicas": 2}}),
        ("application/json-patch+json", [{"op": "replace", "path": "/spec/replicas", "value": 2}]),
    ],
)
def test_each_kind_of_patch_changes_the_object(
    client: Any, deployment: dict[str, Any], content_type: str, patch: Any
) -> None:
    resource = _resource(client, "Deployment", "apps/v1")
    resource.create(deployment)
    patched = resource.patch(name="vllm-tpu", namespace="default", body=patch, content_type=content_type)
    assert (patched.spec.replicas, patched.metadata.generation) == (2, 2)


def test_a_strategic_patch_merges_containers_by_name(client: Any, deployment: dict[str, Any]) -> None:
    resource = _resource(client, "Deployment", "apps/v1")
    resource.create(deployment)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "vllm-tpu", "image": "other:1"}]}}}}
    patched = resource.patch(name="vllm-tpu", namespace="default", body=patch)
    container = patched.spec.template.spec.containers[0]
    assert (container.image, container.ports[0].containerPort) == ("other:1", 8000)


def test_a_failed_json_patch_test_changes_nothing(client: Any) -> None:
    resource = _resource(client, "PersistentVolume")
    resource.create(_volume())
    patch = [{"op": "test", "path": "/spec/claimRef/name", "value": "x"}, {"op": "remove", "path": "/spec"}]
    with pytest.raises(exceptions.UnprocessibleEntityError):
        resource.patch(name="vllm-pv", body=patch, content_type="application/json-patch+json")


def test_a_json_patch_frees_a_released_volume(client: Any) -> None:
    volume = _volume()
    volume["spec"]["claimRef"] = {
        "name": "vllm-pvc",
        "namespace": "default",
        "uid": "1",
        "resourceVersion": "2",
    }
    resource = _resource(client, "PersistentVolume")
    resource.create(volume)
    patch = [{"op": "remove", "path": f"/spec/claimRef/{field}"} for field in ("uid", "resourceVersion")]
    freed = resource.patch(name="vllm-pv", body=patch, content_type="application/json-patch+json")
    assert "uid" not in freed.to_dict()["spec"]["claimRef"]


def test_a_stale_replace_is_a_conflict(client: Any, deployment: dict[str, Any]) -> None:
    resource = _resource(client, "Deployment", "apps/v1")
    first = resource.create(deployment).to_dict()
    first["spec"]["replicas"] = 2
    resource.replace(first)
    with pytest.raises(exceptions.ConflictError) as refused:
        resource.replace(first)
    assert _status(refused.value)["message"].startswith(
        'Operation cannot be fulfilled on deployments.apps "vllm-tpu": the object has been modified'
    )


def test_a_status_write_leaves_the_generation(client: Any, deployment: dict[str, Any]) -> None:
    resource = _resource(client, "Deployment", "apps/v1")
    created = resource.create(deployment).to_dict()
    created["status"] = {"replicas": 1, "observedGeneration": 1}
    created["spec"]["replicas"] = 7
    written = resource.status.replace(created)
    assert written.status.observedGeneration == 1
    assert (written.spec.replicas, written.metadata.generation) == (1, 1)


def test_a_plain_write_leaves_the_status(cluster: Any, client: Any, deployment: dict[str, Any]) -> None:
    resource = _resource(client, "Deployment", "apps/v1")
    resource.create({**deployment, "status": {"replicas": 5}})
    assert "status" not in resource.get("vllm-tpu", "default").to_dict()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("selector", "matchLabels"), {"app": "other"}, "field is immutable"),
        (("template", "metadata", "labels"), {"app": "other"}, "`selector` does not match template `labels`"),
        (("template", "spec", "restartPolicy"), "Never", 'Unsupported value: "Never"'),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(
    client: Any, deployment: dict[str, Any], path: tuple[str, ...], value: Any, message: str
) -> None:
    resource = _resource(client, "Deployment", "apps/v1")
    live = resource.create(deployment).to_dict()
    spec = live["spec"]
    for step in path[:-1]:
        spec = spec[step]
    spec[path[-1]] = value
    if path[0] == "selector":
        live["spec"]["template"]["metadata"]["labels"] = value
    with pytest.raises(exceptions.UnprocessibleEntityError) as refused:
        resource.replace(live)
    assert message in _status(refused.value)["message"]


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"limits": {"google.com/tpu": "1500m"}}, "must be an integer"),
        (
            {"limits": {"google.com/tpu": "4"}, "requests": {"google.com/tpu": "2"}},
            "must be equal to google.com/tpu limit of 4",
        ),
        (
            {"requests": {"google.com/tpu": "4"}},
            "Limit must be set for non overcommitable resources",
        ),
    ],
)
def test_tpus_are_whole_and_cannot_be_overcommitted(
    client: Any, deployment: dict[str, Any], resources: dict[str, Any], message: str
) -> None:
    deployment["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    with pytest.raises(exceptions.UnprocessibleEntityError) as refused:
        _resource(client, "Deployment", "apps/v1").create(deployment)
    assert message in _status(refused.value)["message"]


def test_a_claims_spec_is_immutable(client: Any) -> None:
    resource = _resource(client, "PersistentVolumeClaim")
    live = resource.create(_claim(volumeName="vllm-pv")).to_dict()
    live["spec"]["volumeName"] = "other"
    with pytest.raises(exceptions.UnprocessibleEntityError) as refused:
        resource.replace(live)
    assert "spec is immutable after creation except resources.requests" in _status(refused.value)["message"]


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        ("128Gi", exceptions.ForbiddenError, "only dynamically provisioned pvc can be resized"),
        ("1Gi", exceptions.UnprocessibleEntityError, "field can not be less than status.capacity"),
    ],
)
def test_a_claim_neither_grows_nor_shrinks(
    client: Any, size: str, error: type[Exception], message: str
) -> None:
    resource = _resource(client, "PersistentVolumeClaim")
    live = resource.create(_claim()).to_dict()
    live["spec"]["resources"]["requests"]["storage"] = size
    with pytest.raises(error) as refused:
        resource.replace(live)
    assert message in _status(refused.value)["message"]


def test_a_volumes_source_is_immutable(client: Any) -> None:
    resource = _resource(client, "PersistentVolume")
    live = resource.create(_volume()).to_dict()
    live["spec"]["csi"]["volumeHandle"] = "other"
    with pytest.raises(exceptions.UnprocessibleEntityError) as refused:
        resource.replace(live)
    assert "spec.persistentvolumesource is immutable after creation" in _status(refused.value)["message"]


def test_a_jobs_template_is_immutable_and_its_pods_are_told_by_its_uid(client: Any) -> None:
    job: dict[str, Any] = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "bench", "namespace": "default"},
        "spec": {
            "backoffLimit": 0,
            "template": {
                "spec": {"restartPolicy": "Never", "containers": [{"name": "bench", "image": "x:1"}]}
            },
        },
    }
    resource = _resource(client, "Job", "batch/v1")
    live = resource.create(job).to_dict()
    labels = live["spec"]["template"]["metadata"]["labels"]
    assert labels["batch.kubernetes.io/controller-uid"] == live["metadata"]["uid"]
    assert labels["job-name"] == "bench"
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "x:2"
    with pytest.raises(exceptions.UnprocessibleEntityError) as refused:
        resource.replace(live)
    assert "spec.template: Invalid value" in _status(refused.value)["message"]


def test_an_unknown_field_is_refused_warned_of_or_dropped(client: Any, deployment: dict[str, Any]) -> None:
    resource = _resource(client, "Deployment", "apps/v1")
    deployment["spec"]["replica"] = 2
    with pytest.raises(exceptions.BadRequestError) as refused:
        resource.create(deployment, query_params=[("fieldValidation", "Strict")])
    assert 'strict decoding error: unknown field "spec.replica"' in _status(refused.value)["message"]
    assert "replica" not in resource.create(deployment).to_dict()["spec"]


def test_a_service_gets_a_cluster_ip_that_stays(client: Any) -> None:
    service: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "vllm-service", "namespace": "default"},
        "spec": {"selector": {"app": "vllm-tpu"}, "type": "LoadBalancer", "ports": [{"port": 8000}]},
    }
    resource = _resource(client, "Service")
    created = resource.create(service).to_dict()
    assert created["spec"]["ports"][0]["targetPort"] == 8000
    assert created["spec"]["ports"][0]["nodePort"] >= 30000
    service["spec"]["type"] = "ClusterIP"
    service["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"]
    replaced = resource.replace(service).to_dict()
    assert replaced["spec"]["clusterIP"] == created["spec"]["clusterIP"]
    assert "nodePort" not in replaced["spec"]["ports"][0]


def test_a_deletion_waits_for_finalizers(client: Any) -> None:
    resource = _resource(client, "PersistentVolumeClaim")
    claim = _claim()
    claim["metadata"]["finalizers"] = ["kubernetes.io/pvc-protection"]
    resource.create(claim)
    resource.delete("vllm-pvc", "default")
    live = resource.get("vllm-pvc", "default")
    assert live.metadata.deletionTimestamp
    patch = {"metadata": {"finalizers": None}}
    resource.patch(
        name="vllm-pvc", namespace="default", body=patch, content_type="application/merge-patch+json"
    )
    with pytest.raises(exceptions.NotFoundError):
        resource.get("vllm-pvc", "default")


def test_a_deletion_may_state_which_object_it_means(client: Any) -> None:
    resource = _resource(client, "PersistentVolume")
    resource.create(_volume())
    with pytest.raises(exceptions.ConflictError):
        resource.delete("vllm-pv", body={"preconditions": {"uid": "another"}})
    deleted = resource.delete("vllm-pv", body={"dryRun": ["All"]})
    assert deleted.metadata.name == "vllm-pv"
    assert resource.get("vllm-pv").metadata.name == "vllm-pv"


def test_a_foreground_deletion_waits_for_the_garbage_collector(
    client: Any, deployment: dict[str, Any]
) -> None:
    resource = _resource(client, "Deployment", "apps/v1")
    resource.create(deployment)
    resource.delete("vllm-tpu", "default", body={"propagationPolicy": "Foreground"})
    live = resource.get("vllm-tpu", "default").to_dict()
    assert live["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert live["metadata"]["deletionTimestamp"]


def test_a_running_pod_is_only_marked_until_its_node_lets_go(cluster: Any, client: Any) -> None:
    pod = {
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"nodeName": "node-1", "terminationGracePeriodSeconds": 5, "containers": []},
        "status": {"phase": "Running"},
    }
    cluster.call(cluster.store.create, kind_of("Pod"), pod)
    marked = _resource(client, "Pod").delete("a", "default")
    assert marked.metadata.deletionGracePeriodSeconds == 5
    cluster.call(cluster.store.delete, kind_of("Pod"), "default", "a", grace_period_seconds=0)
    with pytest.raises(exceptions.NotFoundError):
        _resource(client, "Pod").get("a", "default")


def test_lists_are_selected_by_labels_and_fields(cluster: Any, client: Any) -> None:
    for name, node, app in (("a", "n1", "x"), ("b", "n2", "x"), ("c", "n2", "y")):
        pod = {
            "metadata": {"name": name, "namespace": "default", "labels": {"app": app}},
            "spec": {"nodeName": node, "containers": []},
        }
        cluster.call(cluster.store.create, kind_of("Pod"), pod)
    resource = _resource(client, "Pod")

    def names(**selectors: str) -> list[str]:
        return [pod.metadata.name for pod in resource.get(namespace="default", **selectors).items]

    assert names(label_selector="app=x") == ["a", "b"]
    assert names(label_selector="app in (y,z)") == ["c"]
    assert names(label_selector="app!=x") == ["c"]
    assert names(label_selector="!app") == []
    assert names(field_selector="spec.nodeName=n2", label_selector="app") == ["b", "c"]
    assert names(field_selector="metadata.name=a") == ["a"]
    with pytest.raises(exceptions.BadRequestError) as refused:
        names(field_selector="spec.colour=red")
    assert "field label not supported: spec.colour" in _status(refused.value)["message"]


def test_long_lists_come_in_pages(client: Any) -> None:
    resource = _resource(client, "ConfigMap")
    for index in range(5):
        resource.create({"metadata": {"name": f"c{index}", "namespace": "default"}, "data": {}})
    first = resource.get(namespace="default", limit=3)
    rest = resource.get(namespace="default", limit=3, _continue=first.metadata["continue"])
    assert [item.metadata.name for item in [*first.items, *rest.items]] == ["c0", "c1", "c2", "c3", "c4"]
    assert first.metadata.remainingItemCount == 2


ANYTHING = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}


def test_custom_objects_live_under_their_definition(client: Any) -> None:
    _resource(client, "CustomResourceDefinition", "apiextensions.k8s.io/v1").create(
        {
            "metadata": {"name": "podmonitorings.monitoring.googleapis.com"},
            "spec": {
                "group": "monitoring.googleapis.com",
                "scope": "Namespaced",
                "names": {"plural": "podmonitorings", "singular": "podmonitoring", "kind": "PodMonitoring"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": ANYTHING}],
            },
        }
    )
    resource = _resource(client, "PodMonitoring", "monitoring.googleapis.com/v1")
    manifest = {
        "apiVersion": "monitoring.googleapis.com/v1",
        "kind": "PodMonitoring",
        "metadata": {"name": "vllm", "namespace": "default"},
        "spec": {"endpoints": [{"port": "metrics", "interval": "15s"}]},
    }
    applied = client.server_side_apply(resource, body=manifest, field_manager="runbook")
    again = client.server_side_apply(resource, body=manifest, field_manager="runbook")
    assert applied.to_dict() == again.to_dict()
    assert resource.get("vllm", "default").spec.endpoints[0].port == "metrics"


def test_the_version_has_every_field_that_typed_clients_read(client: Any) -> None:
    version = VersionApi(client.client).get_code()
    assert (version.major, version.minor) == tuple(version.git_version.removeprefix("v").split(".")[:2])
    assert version.build_date


def test_discovery_answers_the_paths_of_the_generated_clients(client: Any) -> None:
    assert CoreApi(client.client).get_api_versions().versions == ["v1"]
    assert "apps" in {group.name for group in ApisApi(client.client).get_api_versions().groups}
    assert [version.version for version in AppsApi(client.client).get_api_group().versions] == ["v1"]
    assert "pods" in {resource.name for resource in CoreV1Api(client.client).get_api_resources().resources}
