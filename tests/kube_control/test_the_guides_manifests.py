"""The guide's sections 4.2 and 5.1 as printed, with the names filled in: what works and what does not."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rehearsal.hub import checkpoint
from tests.kube_control.kube_stand_in import Json, Kube, condition, gone, phase, wait
from tests.kube_control.test_buckets_are_mounted import ACCOUNT
from tests.kube_control.test_services_reach_ready_pods import hosts, ingress

SERVER = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: vllm-pv}
spec:
  accessModes: [ReadWriteMany]
  capacity: {storage: 64Gi}
  persistentVolumeReclaimPolicy: Retain
  storageClassName: gcsfuse-sc
  claimRef: {namespace: default, name: vllm-pvc}
  mountOptions:
  - implicit-dirs
  - metadata-cache:negative-ttl-secs:0
  - metadata-cache:ttl-secs:-1
  - metadata-cache:stat-cache-max-size-mb:-1
  - metadata-cache:type-cache-max-size-mb:-1
  - file-system:kernel-list-cache-ttl-secs:-1
  csi:
    driver: gcsfuse.csi.storage.gke.io
    volumeHandle: a-bucket
    volumeAttributes:
      skipCSIBucketAccessCheck: "true"
      gcsfuseMetadataPrefetchOnMount: "true"
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: vllm-pvc, namespace: default}
spec:
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 64Gi}}
  volumeName: vllm-pv
  storageClassName: gcsfuse-sc
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: vllm-tpu}
spec:
  replicas: 1
  selector: {matchLabels: {app: vllm-tpu}}
  template:
    metadata:
      labels: {app: vllm-tpu}
      annotations: {gke-gcsfuse/volumes: "true"}
    spec:
      nodeSelector:
        cloud.google.com/gke-tpu-accelerator: tpu7x
        cloud.google.com/gke-tpu-topology: 2x2x1
      containers:
      - name: vllm-tpu
        image: vllm/vllm-tpu:nightly-ironwood-20251217-baf570b-0cd5353
        command: ["python3", "-m", "vllm.entrypoints.openai.api_server"]
        args:
        - --host=0.0.0.0
        - --port=8000
        - --tensor-parallel-size=2
        - --data-parallel-size=4
        - --max-model-len=9216
        - --max-num-batched-tokens=16384
        - --max-num-seqs=2048
        - --no-enable-prefix-caching
        - --load-format=runai_streamer
        - --model=/model-vol-mount/$(MODEL_FOLDER_PATH)
        - --kv-cache-dtype=fp8
        - --async-scheduling
        - --gpu-memory-utilization=0.86
        env:
        - {name: MODEL_FOLDER_PATH, value: gpt}
        - {name: TPU_BACKEND_TYPE, value: jax}
        - {name: MODEL_IMPL_TYPE, value: vllm}
        ports: [{containerPort: 8000}]
        resources:
          limits: {google.com/tpu: '4'}
          requests: {google.com/tpu: '4'}
        readinessProbe:
          tcpSocket: {port: 8000}
          initialDelaySeconds: 15
          periodSeconds: 10
        volumeMounts:
        - {mountPath: /model-vol-mount, name: model-vol}
        - {mountPath: /dev/shm, name: dshm}
      volumes:
      - {name: dshm, emptyDir: {medium: Memory}}
      - {name: model-vol, persistentVolumeClaim: {claimName: vllm-pvc}}
---
apiVersion: v1
kind: Service
metadata: {name: vllm-service}
spec:
  selector: {app: vllm-tpu}
  type: LoadBalancer
  ports: [{name: http, protocol: TCP, port: 8000, targetPort: 8000}]
"""
BENCH = """
apiVersion: v1
kind: Pod
metadata:
  name: vllm-bench
  annotations: {gke-gcsfuse/volumes: "true"}
spec:
  terminationGracePeriodSeconds: 60
  nodeSelector:
    cloud.google.com/gke-tpu-accelerator: tpu7x
    cloud.google.com/gke-tpu-topology: 2x2x1
  containers:
  - name: vllm-bench
    image: vllm/vllm-tpu:nightly-ironwood-20251217-baf570b-0cd5353
    command: ["vllm"]
    args:
    - bench
    - serve
    - --dataset-name=sonnet
    - --sonnet-input-len=300
    - --sonnet-output-len=8
    - --dataset-path=/workspace/vllm/benchmarks/sonnet.txt
    - --num-prompts=3
    - --ignore-eos
    - --host=vllm-service
    - --port=8000
    - --model=/model-vol-mount/$(MODEL_FOLDER_PATH)
    env: [{name: MODEL_FOLDER_PATH, value: gpt}]
    volumeMounts: [{mountPath: /model-vol-mount, name: model-vol}]
  volumes:
  - {name: model-vol, persistentVolumeClaim: {claimName: vllm-pvc}}
"""


@pytest.fixture
def served(kube: Kube, tmp_path: Path) -> Kube:
    """Give a cluster in which the guide's server answers."""
    files = checkpoint.build(tmp_path)
    kube.stand_in.storage.objects["a-bucket"] = {
        f"gpt/{path.relative_to(files).as_posix()}": path.read_bytes()
        for path in files.rglob("*")
        if path.is_file()
    }
    kube.stand_in.storage.members.add(("a-bucket", ACCOUNT))
    kube.apply(SERVER)
    kube.wait("Deployment", "vllm-tpu", until=condition("Available"), seconds=40)
    return kube


def test_the_server_comes_up_and_answers_at_its_service(served: Kube) -> None:
    (pod,) = served.pods(app="vllm-tpu")
    log = served.log(pod["metadata"]["name"], container="vllm-tpu")
    assert "Application startup complete." in log
    served.wait("Service", "vllm-service", until=ingress)
    host, _, port = hosts(served)["vllm-service:8000"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /v1/models HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b'"/model-vol-mount/gpt"' in answer


def test_the_benchmark_pod_waits_for_ever_and_with_a_toleration_runs_for_ever(served: Kube) -> None:
    served.apply(BENCH)
    served.wait("Pod", "vllm-bench", until=condition("PodScheduled", "False", "Unschedulable"))
    (message,) = served.events("vllm-bench", "FailedScheduling")
    assert "1 node(s) had untolerated taint {google.com/tpu: present}" in message
    toleration = {"key": "google.com/tpu", "operator": "Exists", "effect": "NoSchedule"}
    pod = served.get("Pod", "vllm-bench")
    assert pod is not None
    tolerations = [*pod["spec"]["tolerations"], toleration]
    served.merge("Pod", "vllm-bench", {"spec": {"tolerations": tolerations}})
    wait(lambda: restarts(served.get("Pod", "vllm-bench")), until=lambda count: count >= 1, seconds=60)
    log = served.log("vllm-bench", container="vllm-bench", previous="true")
    assert "Serving Benchmark Result" in log
    assert [line.split()[-1] for line in log.splitlines() if "Successful requests" in line] == ["3"]


def restarts(pod: Json | None) -> int:
    statuses = (pod or {}).get("status", {}).get("containerStatuses") or [{}]
    count: int = statuses[0].get("restartCount", 0)
    return count


def test_deleting_it_all_leaves_nothing(served: Kube) -> None:
    served.delete("PersistentVolume", "vllm-pv")
    served.delete("PersistentVolumeClaim", "vllm-pvc")
    assert phase("Bound")(served.get("PersistentVolume", "vllm-pv"))
    served.delete("Deployment", "vllm-tpu", propagationPolicy="Background")
    served.delete("Service", "vllm-service")
    for kind, name in (("PersistentVolumeClaim", "vllm-pvc"), ("PersistentVolume", "vllm-pv")):
        served.wait(kind, name, until=gone)
    served.wait("Service", "vllm-service", until=gone)
    assert served.items("Pod") == []
    assert list(served.stand_in.home.glob("kubernetes/*/pods/*")) == []
