"""What the guide's manifests say, and what must not be as the guide has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runbook.engine.errors import VariableError
from runbook.measurement.carriage import read_carried
from runbook.steps.kube.templates import render
from tests.manifests.conftest import ROOT, Objects, Workload, values

GUIDE_SERVER_ARGUMENTS = """
--host=0.0.0.0 --port=8000 --tensor-parallel-size=2 --data-parallel-size=4 --max-model-len=9216
--max-num-batched-tokens=16384 --max-num-seqs=2048 --no-enable-prefix-caching --load-format=runai_streamer
--model=/model-vol-mount/$(MODEL_FOLDER_PATH) --kv-cache-dtype=fp8 --async-scheduling
--gpu-memory-utilization=0.86
"""
GUIDE_BENCH_ARGUMENTS = """
bench serve --dataset-name=sonnet --sonnet-input-len=1024 --sonnet-output-len=8192
--dataset-path=/workspace/vllm/benchmarks/sonnet.txt --num-prompts=1000 --ignore-eos --host=vllm-service
--port=8000 --model=/model-vol-mount/$(MODEL_FOLDER_PATH)
"""


def container(objects: Objects, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = objects[kind]["spec"]["template"]["spec"]["containers"][0]
    return found


def environ(objects: Objects, kind: str) -> dict[str, Any]:
    return {item["name"]: item.get("value") for item in container(objects, kind)["env"]}


def test_the_servers_arguments_are_the_guides_in_its_order(workload: Workload) -> None:
    arguments = container(workload(), "Deployment")["args"]
    guide = GUIDE_SERVER_ARGUMENTS.split()
    assert arguments[: len(guide)] == guide
    assert arguments[len(guide) :] == [
        "--served-model-name",
        "openai/gpt-oss-120b",
        "/model-vol-mount/$(MODEL_FOLDER_PATH)",
    ]


def test_the_benchmarks_arguments_are_the_guides_in_its_order(workload: Workload) -> None:
    arguments = container(workload(), "Job")["args"]
    guide = GUIDE_BENCH_ARGUMENTS.split()
    assert arguments[: len(guide)] == guide
    added = arguments[len(guide) :]
    assert [argument.partition("=")[0] for argument in added] == [
        "--seed",
        "--temperature",
        "--percentile-metrics",
        "--metric-percentiles",
        "--ready-check-timeout-sec",
        "--metadata",
        "workload",
        "environment",
        "job",
    ]


def test_random_prompts_need_no_file(workload: Workload) -> None:
    arguments = container(workload("bench.dataset=random", "bench.max_concurrency=64"), "Job")["args"]
    assert "--random-input-len=1024" in arguments
    assert "--max-concurrency=64" in arguments
    assert not [argument for argument in arguments if "sonnet" in argument]


def test_d15_to_d17_only_the_models_folder_is_mounted_where_the_guide_mounts_the_bucket(
    workload: Workload,
) -> None:
    objects = workload("volume.capacity=100Gi")
    volume = objects["PersistentVolume"]["spec"]
    assert volume["csi"]["volumeHandle"] == "team-models"
    assert volume["mountOptions"][-1] == "only-dir=gpt-oss-120b"
    assert volume["capacity"] == {"storage": "100Gi"}
    assert objects["PersistentVolumeClaim"]["spec"]["resources"] == {"requests": {"storage": "100Gi"}}
    mounts = {item["name"]: item["mountPath"] for item in container(objects, "Deployment")["volumeMounts"]}
    assert mounts == {"model-vol": "/model-vol-mount/gpt-oss-120b", "dshm": "/dev/shm"}


def test_a_whole_bucket_is_mounted_at_the_guides_path(workload: Workload) -> None:
    objects = workload("volume.only_dir=false")
    options = objects["PersistentVolume"]["spec"]["mountOptions"]
    assert not [option for option in options if "only-dir" in option]
    assert container(objects, "Deployment")["volumeMounts"][0]["mountPath"] == "/model-vol-mount"


def test_d18_other_bytes_in_the_bucket_give_other_pods(workload: Workload) -> None:
    before, after = workload(content="aaa")["Deployment"], workload(content="bbb")["Deployment"]
    assert before["spec"]["template"] != after["spec"]["template"]


def test_d19_the_service_is_reached_from_the_cluster_only(workload: Workload) -> None:
    service = workload()["Service"]
    assert service["spec"]["type"] == "ClusterIP"
    assert "annotations" not in service["metadata"]


def test_d19_an_exposed_service_has_sources_and_a_key(workload: Workload) -> None:
    objects = workload(
        "server.expose=internal", "server.source_ranges=[10.0.0.0/8]", "server.api_key={env: SERVER_KEY}"
    )
    service = objects["Service"]
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert service["metadata"]["annotations"] == {"networking.gke.io/load-balancer-type": "Internal"}
    assert "s3cret" not in json.dumps(objects)
    key = next(item for item in container(objects, "Deployment")["env"] if item["name"] == "VLLM_API_KEY")
    assert key["valueFrom"]["secretKeyRef"]["name"].startswith("vllm-tpu-api-key-")
    assert key["valueFrom"]["secretKeyRef"]["key"] == "api-key"


def test_d19_a_service_inside_the_network_may_be_open_to_all_of_it(workload: Workload) -> None:
    assert "loadBalancerSourceRanges" not in workload("server.expose=internal")["Service"]["spec"]


def test_d20_to_d24_probes_rollout_timeouts_and_memory_suit_a_slow_start(workload: Workload) -> None:
    objects = workload()
    spec, server = objects["Deployment"]["spec"], container(objects, "Deployment")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert server[probe]["httpGet"] == {"path": "/health", "port": 8000}
        assert server[probe]["timeoutSeconds"] == 10
    assert server["startupProbe"]["periodSeconds"] * server["startupProbe"]["failureThreshold"] == 3600
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert spec["progressDeadlineSeconds"] == 3600
    assert environ(objects, "Deployment")["VLLM_ENGINE_READY_TIMEOUT_S"] == "1800"
    assert server["resources"] == {"limits": {"google.com/tpu": "4"}, "requests": {"google.com/tpu": "4"}}


def test_d25_server_and_benchmark_share_one_pinned_image(workload: Workload) -> None:
    objects = workload()
    image = container(objects, "Deployment")["image"]
    assert container(objects, "Job")["image"] == image
    assert image == "vllm/vllm-tpu:nightly-ironwood-20251217-baf570b-0cd5353"


def test_d28_to_d30_the_benchmark_is_a_job_of_its_own_on_a_cpu_node(workload: Workload) -> None:
    job = workload()["Job"]
    pod = job["spec"]["template"]["spec"]
    assert job["metadata"]["name"] == "vllm-bench-20261123-154200-1a2b"
    assert (job["spec"]["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert job["spec"]["ttlSecondsAfterFinished"] == 86400
    assert pod["nodeSelector"] == {"iam.gke.io/gke-metadata-server-enabled": "true"}
    assert "tolerations" not in pod
    assert pod["volumes"][0]["persistentVolumeClaim"]["readOnly"] is True


@pytest.mark.parametrize("setting", ["bench.tokenizer=hub", "provider=kubeconfig", "cluster.mode=autopilot"])
def test_d29_where_no_volume_wants_an_identity_or_every_node_has_it_no_node_is_chosen(
    workload: Workload, setting: str
) -> None:
    assert "nodeSelector" not in workload(setting)["Job"]["spec"]["template"]["spec"]


def test_no_pod_gets_what_it_does_not_use(workload: Workload) -> None:
    objects = workload()
    for kind in ("Deployment", "Job"):
        pod = objects[kind]["spec"]["template"]["spec"]
        assert (pod["enableServiceLinks"], pod["automountServiceAccountToken"]) == (False, False)


def test_a_jobs_name_is_never_longer_than_its_label_may_be(workload: Workload) -> None:
    job = workload(f"bench.name={'b' * 42}")["Job"]["metadata"]
    assert len(job["name"]) == 63
    assert job["labels"]["app.kubernetes.io/instance"] == job["name"]
    with pytest.raises(VariableError, match=r"bench.name.* must be 1 to 42"):
        workload(f"bench.name={'b' * 43}")


def test_d29_beside_the_server_it_tolerates_the_taint(workload: Workload) -> None:
    pod = workload("bench.placement=tpu-node")["Job"]["spec"]["template"]["spec"]
    assert pod["tolerations"] == [{"key": "google.com/tpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert pod["nodeSelector"]["cloud.google.com/gke-tpu-topology"] == "2x2x1"


def test_d34_another_bucket_is_another_volume_and_another_claim(workload: Workload) -> None:
    ours, theirs = workload(), workload("bucket.name=other-models")
    for kind in ("PersistentVolume", "PersistentVolumeClaim"):
        assert ours[kind]["metadata"]["name"] != theirs[kind]["metadata"]["name"]
    claim = ours["PersistentVolumeClaim"]
    assert claim["spec"]["volumeName"] == ours["PersistentVolume"]["metadata"]["name"]
    assert ours["PersistentVolume"]["spec"]["claimRef"]["name"] == claim["metadata"]["name"]
    volumes = ours["Deployment"]["spec"]["template"]["spec"]["volumes"]
    assert volumes[1]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_another_service_account_and_namespace_are_made(workload: Workload) -> None:
    objects = workload("kube.service_account=vllm", "kube.namespace=serving")
    assert objects["Namespace"]["metadata"] == {"name": "serving"}
    assert objects["ServiceAccount"]["metadata"]["namespace"] == "serving"
    assert objects["Deployment"]["spec"]["template"]["spec"]["serviceAccountName"] == "vllm"


def test_everything_that_cleanup_deletes_is_labelled(workload: Workload) -> None:
    for item in workload("kube.service_account=vllm").values():
        labels = item["metadata"]["labels"]
        assert (labels["app.kubernetes.io/managed-by"], labels["runbook/environment"]) == ("runbook", "team")


def test_the_benchmarks_script_gives_progress_lines_the_saved_result_and_the_exit_code(
    workload: Workload, tmp_path: Path
) -> None:
    vllm = tmp_path / "vllm"
    vllm.write_text(
        "#!/usr/bin/env bash\n"
        'for word in "$@"; do case "$word" in --result-dir=*) folder="${word#*=}";; esac; done\n'
        "printf '\\r  0%%|  | 0/2\\r 50%%|# | 1/2' >&2\n"
        'echo "$1 $2"; echo \'{"completed": 2}\' > "$folder/bench.json"; exit 3\n'
    )
    vllm.chmod(0o755)
    command = container(workload(), "Job")["command"]
    ended = subprocess.run(
        [*command, "bench", "serve"],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 3
    assert [line.strip() for line in ended.stderr.splitlines() if line] == ["0%|  | 0/2", "50%|# | 1/2"]
    assert ended.stdout.split("\n")[:1] == ["bench serve"]
    carried = read_carried(ended.stdout.splitlines())
    assert carried is not None
    assert (carried.saved, carried.checked) == ({"completed": 2}, True)


def test_a_benchmark_that_breaks_as_process_1_loses_no_line_of_its_traceback(
    workload: Workload, tmp_path: Path
) -> None:
    isolated = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*isolated, "true"], check=False).returncode:
        pytest.skip("unshare makes no process 1 here, so what the kernel kills at its end is not seen")
    vllm = tmp_path / "vllm"
    vllm.write_text("#!/usr/bin/env bash\nprintf ' 0%%|\\r' >&2\nseq 2000 >&2\nexit 1\n")
    vllm.chmod(0o755)
    ended = subprocess.run(
        [*isolated, *container(workload(), "Job")["command"], "bench", "serve"],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.split() == ["0%|", *map(str, range(1, 2001))]


def test_values_are_quoted_only_where_yaml_would_read_something_else() -> None:
    text = render(ROOT / "manifests" / "vllm-tpu.yaml.j2", values())
    assert "- --tensor-parallel-size=2\n" in text
    assert "storage: 64Gi" in text
    assert 'google.com/tpu: "4"' in text
