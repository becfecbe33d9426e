"""Cloud Storage FUSE: what the driver checks before a Pod may start, and what the Pod then sees."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.projects import project_number
from tests.kube_control.kube_stand_in import KEY, Json, Kube, StandIn, facts, node, phase, wait

ACCOUNT = (
    f"principal://iam.googleapis.com/projects/{project_number('my-project')}/locations/global"
    "/workloadIdentityPools/my-project.svc.id.goog/subject/ns/default/sa/default"
)
MANIFEST = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: vllm-pv}
spec:
  accessModes: [ReadWriteMany]
  capacity: {storage: 64Gi}
  storageClassName: gcsfuse-sc
  claimRef: {namespace: default, name: vllm-pvc}
  mountOptions: [implicit-dirs, "metadata-cache:ttl-secs:-1", "only-dir=gpt"]
  csi: {driver: gcsfuse.csi.storage.gke.io, volumeHandle: a-bucket}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: vllm-pvc}
spec:
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 64Gi}}
  volumeName: vllm-pv
  storageClassName: gcsfuse-sc
"""


def reader(*, annotated: bool = True, command: str = "cd /model; find . -type f | sort; cat sub/b") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "reader",
            "annotations": {"gke-gcsfuse/volumes": "true"} if annotated else {},
        },
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "main",
                    "image": "busybox:1.37",
                    "command": ["sh", "-c", command],
                    "volumeMounts": [{"name": "model", "mountPath": "/model"}],
                }
            ],
            "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": "vllm-pvc"}}],
        },
    }


def filled(stand_in: StandIn) -> None:
    stand_in.storage.objects["a-bucket"] = {"gpt/a": b"1", "gpt/sub/b": b"two\n", "other/c": b"3"}
    stand_in.storage.members.add(("a-bucket", ACCOUNT))


def only_failure(kube: Kube) -> str:
    wait(lambda: kube.events("reader", "FailedMount"))
    (message,) = kube.events("reader", "FailedMount")
    assert phase("Pending")(kube.get("Pod", "reader"))
    return message.removeprefix('MountVolume.SetUp failed for volume "vllm-pv" : ')


def test_the_pod_sees_the_objects_below_only_dir(kube: Kube) -> None:
    filled(kube.stand_in)
    kube.apply(MANIFEST)
    kube.apply(reader())
    kube.wait("Pod", "reader", until=phase("Succeeded"))
    assert kube.log("reader", container="main") == "./a\n./sub/b\ntwo\n"


def test_annotated_pods_get_the_sidecar_that_mounts(kube: Kube) -> None:
    filled(kube.stand_in)
    volume = MANIFEST.replace(
        "volumeHandle: a-bucket}",
        "volumeHandle: a-bucket, volumeAttributes: {gcsfuseMetadataPrefetchOnMount: 'true'}}",
    )
    kube.apply(volume)
    (pod,) = kube.apply(reader())
    sidecar, prefetch = pod["spec"]["initContainers"]
    assert (sidecar["name"], sidecar["restartPolicy"]) == ("gke-gcsfuse-sidecar", "Always")
    assert sidecar["resources"] == {
        "requests": {"cpu": "250m", "memory": "256Mi", "ephemeral-storage": "5Gi"}
    }
    assert prefetch["name"] == "gke-gcsfuse-metadata-prefetch"
    found = kube.wait("Pod", "reader", until=phase("Succeeded"))
    assert all("terminated" in entry["state"] for entry in found["status"]["initContainerStatuses"])


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (facts(gcsfuse=False), "driver name gcsfuse.csi.storage.gke.io not found in the list of registered"),
        (facts(workload_pool=None), "Workload Identity Federation is not enabled on node"),
        (facts(node("n", metadata="GCE_METADATA")), "Workload Identity Federation is not enabled on node"),
    ],
)
def test_the_cluster_must_have_what_the_driver_needs(stand_in: StandIn, given: Json, cause: str) -> None:
    filled(stand_in)
    kube = stand_in.create(given)
    kube.apply(MANIFEST)
    kube.apply(reader())
    assert cause in only_failure(kube)


def test_a_pod_without_the_annotation_is_not_mounted_for(kube: Kube) -> None:
    filled(kube.stand_in)
    kube.apply(MANIFEST)
    kube.apply(reader(annotated=False))
    assert only_failure(kube) == (
        "rpc error: code = FailedPrecondition desc = failed to find the sidecar container in Pod spec"
    )


def test_the_bucket_must_be_there_and_open_to_the_service_account(kube: Kube) -> None:
    kube.apply(MANIFEST)
    kube.apply(reader())
    assert only_failure(kube) == (
        'rpc error: code = NotFound desc = failed to get GCS bucket "a-bucket":'
        " storage: bucket doesn't exist"
    )
    kube.stand_in.storage.objects["a-bucket"] = {"gpt/sub/b": b"two\n"}
    wait(lambda: len(kube.events("reader", "FailedMount")) == 2)
    assert any(
        "code = PermissionDenied" in text and "does not have storage.objects.list access" in text
        for text in kube.events("reader", "FailedMount")
    )
    kube.stand_in.storage.members.add(("a-bucket", ACCOUNT))
    kube.wait("Pod", "reader", until=phase("Succeeded"))


def test_skipping_the_check_moves_the_failure_into_the_pod(kube: Kube) -> None:
    skipping = "volumeHandle: a-bucket, volumeAttributes: {skipCSIBucketAccessCheck: 'true'}}"
    kube.apply(MANIFEST.replace("volumeHandle: a-bucket}", skipping))
    kube.apply(reader(command="cat /model/sub/b"))
    kube.wait("Pod", "reader", until=phase("Failed"))
    assert "No such file or directory" in kube.log("reader", container="main")
    assert "storage: bucket doesn't exist" in kube.log("reader", container="gke-gcsfuse-sidecar")


def test_an_option_that_gcsfuse_does_not_have_is_refused(kube: Kube) -> None:
    filled(kube.stand_in)
    kube.apply(MANIFEST.replace("implicit-dirs", "implicit-dirz"))
    kube.apply(reader())
    assert only_failure(kube).endswith("flag provided but not defined: -implicit-dirz")


def test_the_driver_comes_and_goes_with_the_add_on(stand_in: StandIn) -> None:
    kube = stand_in.create(facts(gcsfuse=False))
    assert kube.get("CSIDriver", "gcsfuse.csi.storage.gke.io") is None
    changed: dict[str, Any] = facts()
    stand_in.run(stand_in.clusters.update(KEY, changed))
    assert kube.get("CSIDriver", "gcsfuse.csi.storage.gke.io") is not None
    daemons = {
        daemon["metadata"]["name"]: daemon["status"] for daemon in kube.items("DaemonSet", "kube-system")
    }
    assert daemons["gcsfusecsi-node"]["numberReady"] == 2
    assert daemons["gke-metadata-server"]["numberReady"] == 2
