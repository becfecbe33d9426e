"""D30 and D32 on the stand-in: a Pod cannot be changed, and a tokenizer needs no volume."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import UserError
from runbook.engine.outcome import Status
from tests.steps_kube.deployment_place import BENCHMARK, Place

POD = Reference("v1", "Pod", "default", "bench-by-hand")


def bench_pod(prompts: int) -> Object:
    words = [*("vllm", "bench", "serve"), f"--num-prompts={prompts}"]
    container = {
        "name": "bench",
        "image": "vllm/vllm-tpu:latest",
        "command": ["sleep", "60"],
        "args": words[1:],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD.name, "namespace": POD.namespace},
        "spec": {"containers": [container]},
    }


def test_d30_changed_arguments_are_refused_by_a_pod_that_exists(place: Place) -> None:
    with place.cluster() as cluster:
        cluster.apply(bench_pod(1000), field_manager="somebody", force=False)
        with pytest.raises(UserError) as refused:
            cluster.apply(bench_pod(10), field_manager="somebody", force=False)
        cluster.delete(POD)
    assert "pod updates may not change fields other than" in refused.value.message


def test_d32_the_tokenizer_comes_from_the_hub_and_no_volume_is_mounted(deployed: Place) -> None:
    there = deployed.with_settings("bench.tokenizer=hub")
    before = len(deployed.cloud.logged(api="hub"))
    started, followed = there.line(("bench.job", BENCHMARK), ("bench.result", {}), check=False)
    assert started.status is Status.CHANGED, started.error
    assert "24 requests" in followed.reason, followed.error
    pod = pod_of(there)
    assert "volumes" not in pod
    assert "annotations" not in pod["metadata"]
    asked = [entry["path"] for entry in deployed.cloud.logged(api="hub")[before:]]
    assert "/rehearsal/gpt-oss-tiny/resolve/main/tokenizer.json" in asked


def pod_of(place: Place) -> dict[str, Any]:
    (job,) = place.of_kind("batch/v1", "Job")
    found = place.get(job)
    assert found is not None
    template = found["spec"]["template"]
    return {**template["spec"], "metadata": template["metadata"]}
