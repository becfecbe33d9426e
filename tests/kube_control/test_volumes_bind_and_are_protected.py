"""PersistentVolumes and claims: binding, what undoes it, and what keeps them from going."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kube_control.kube_stand_in import Kube, condition, gone, phase, wait

VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: vllm-pv}
spec:
  accessModes: [ReadWriteMany]
  capacity: {storage: 64Gi}
  persistentVolumeReclaimPolicy: Retain
  storageClassName: gcsfuse-sc
  claimRef: {namespace: default, name: vllm-pvc}
  csi: {driver: gcsfuse.csi.storage.gke.io, volumeHandle: a-bucket}
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: vllm-pvc}
spec:
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 64Gi}}
  volumeName: vllm-pv
  storageClassName: gcsfuse-sc
"""


def bind(kube: Kube) -> tuple[dict[str, Any], dict[str, Any]]:
    kube.apply(VOLUME)
    kube.apply(CLAIM)
    claim = kube.wait("PersistentVolumeClaim", "vllm-pvc", until=phase("Bound"))
    return claim, kube.wait("PersistentVolume", "vllm-pv", until=phase("Bound"))


def test_a_claim_and_the_volume_reserved_for_it_bind(kube: Kube) -> None:
    claim, volume = bind(kube)
    assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
    assert claim["status"]["capacity"] == {"storage": "64Gi"}
    assert claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes"


def test_a_claim_without_a_volume_name_takes_the_smallest_that_suits(kube: Kube) -> None:
    for size in (8, 2, 4):
        kube.apply({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"pv-{size}"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "capacity": {"storage": f"{size}Gi"},
                "storageClassName": "plain",
                "csi": {"driver": "x", "volumeHandle": "y"},
            },
        })  # fmt: skip
    kube.apply("""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: any}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 3Gi}}
  storageClassName: plain
""")
    claim = kube.wait("PersistentVolumeClaim", "any", until=phase("Bound"))
    assert claim["spec"]["volumeName"] == "pv-4"


def test_a_released_volume_takes_no_new_claim_until_its_uid_is_cleared(kube: Kube) -> None:
    bind(kube)
    kube.delete("PersistentVolumeClaim", "vllm-pvc")
    kube.wait("PersistentVolume", "vllm-pv", until=phase("Released"))
    kube.apply(CLAIM)
    wait(lambda: kube.events("vllm-pvc", "FailedBinding"))
    assert kube.events("vllm-pvc", "FailedBinding") == [
        'volume "vllm-pv" already bound to a different claim.'
    ]
    kube.apply(VOLUME)
    assert phase("Pending")(kube.get("PersistentVolumeClaim", "vllm-pvc"))
    kube.merge("PersistentVolume", "vllm-pv", {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}})
    kube.wait("PersistentVolumeClaim", "vllm-pvc", until=phase("Bound"))


def test_a_bound_volume_goes_only_after_its_claim(kube: Kube) -> None:
    bind(kube)
    kube.delete("PersistentVolume", "vllm-pv")
    volume = kube.get("PersistentVolume", "vllm-pv")
    assert volume is not None
    assert "deletionTimestamp" in volume["metadata"]
    kube.delete("PersistentVolumeClaim", "vllm-pvc")
    kube.wait("PersistentVolume", "vllm-pv", until=gone)


def test_a_claim_whose_volume_was_torn_away_is_lost_for_good(kube: Kube) -> None:
    bind(kube)
    kube.merge("PersistentVolume", "vllm-pv", {"metadata": {"finalizers": None}})
    kube.delete("PersistentVolume", "vllm-pv")
    kube.wait("PersistentVolumeClaim", "vllm-pvc", until=phase("Lost"))
    kube.apply(VOLUME)
    wait(lambda: kube.events("vllm-pvc", "ClaimMisbound") or kube.events("vllm-pvc", "ClaimLost"))
    assert phase("Lost")(kube.get("PersistentVolumeClaim", "vllm-pvc"))


def test_a_claim_that_a_pod_uses_goes_after_the_pod(kube: Kube) -> None:
    bind(kube)
    kube.apply("""
apiVersion: v1
kind: Pod
metadata: {name: user}
spec:
  containers: [{name: c, image: "busybox:1", command: [sleep, "100"]}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: vllm-pvc}}]
""")
    kube.wait("Pod", "user", until=condition("PodScheduled"))
    kube.delete("PersistentVolumeClaim", "vllm-pvc")
    claim = kube.get("PersistentVolumeClaim", "vllm-pvc")
    assert claim is not None
    assert claim["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    kube.delete("Pod", "user")
    kube.wait("PersistentVolumeClaim", "vllm-pvc", until=gone)


@pytest.mark.parametrize(
    ("change", "mismatch"),
    [
        ({"capacity": {"storage": "1Gi"}}, "requested PV is too small"),
        ({"storageClassName": "other"}, "storageClassName does not match"),
        ({"accessModes": ["ReadOnlyMany"]}, "incompatible accessMode"),
    ],
)
def test_a_free_volume_that_does_not_suit_is_not_bound(
    kube: Kube, change: dict[str, Any], mismatch: str
) -> None:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteMany"],
        "capacity": {"storage": "64Gi"},
        "storageClassName": "gcsfuse-sc",
        "csi": {"driver": "gcsfuse.csi.storage.gke.io", "volumeHandle": "a-bucket"},
    }
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "vllm-pv"}}
    kube.apply({**volume, "spec": spec | change})
    kube.apply(CLAIM)
    wait(lambda: kube.events("vllm-pvc", "VolumeMismatch"))
    assert kube.events("vllm-pvc") == [f'Cannot bind to requested volume "vllm-pv": {mismatch}']
