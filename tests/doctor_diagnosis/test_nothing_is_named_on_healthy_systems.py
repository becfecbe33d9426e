"""Healthy variants of the system, and states on the way to health: no symptom is named on any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.clients.kube.objects import Reference
from tests.doctor_diagnosis.patient import Patient
from tests.rehearsal.stand_in import eventually
from tests.steps_kube.deployment_place import BENCHMARK, DEPLOYMENT, TEMPLATES

SHORT = ("bench.output_len=16", "bench.num_prompts=4")


def deployed(patient: Patient, *settings: str) -> Patient:
    """The whole of `inv setup deploy`."""
    chosen = patient.with_settings(*settings)
    chosen.set_up()
    chosen.place.deploy()
    return chosen


def ready(patient: Patient, replicas: int = 1) -> bool:
    found = patient.place.get(DEPLOYMENT)
    return found is not None and found["status"].get("availableReplicas") == replicas


def test_an_empty_cloud(patient: Patient) -> None:
    assert patient.named() == []


def test_everything_set_up_and_nothing_deployed(patient: Patient) -> None:
    patient.set_up()
    assert patient.named() == []


def test_a_fresh_deployment(patient: Patient) -> None:
    deployed(patient)
    [finding] = patient.findings()
    assert (finding.verdict, finding.fact) == ("ok", "none of the 34 known ones is seen")


@pytest.mark.slow
def test_two_replicas_on_two_nodes(patient: Patient) -> None:
    both = deployed(patient, "node_pool.nodes=2", "server.replicas=2")
    assert ready(both, replicas=2)
    assert both.named() == []


def test_another_bucket_and_folder(patient: Patient) -> None:
    assert deployed(patient, "bucket.name=other-models", "checkpoint.folder=elsewhere/tiny").named() == []


def test_the_large_models_names(patient: Patient) -> None:
    assert deployed(patient, "model=gpt-oss-120b").named() == []


def test_a_server_that_is_reached_from_outside(patient: Patient, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a-key-of-the-test")
    key.chmod(0o600)
    ranges = 'server.source_ranges=["203.0.113.0/24"]'
    outside = deployed(patient, "server.expose=external", ranges, f"server.api_key={{file: {key}}}")
    assert outside.named() == []


def test_a_cluster_whose_features_came_by_updates(patient: Patient) -> None:
    names = {"cluster": "rehearsal", "node_pool": "tpu7x-pool", "project": "rehearsal-project"}
    patient.place.cloud.control("POST", "scenarios/existing-cluster", names)
    patient.run("gke.workload_identity")
    patient.run("gke.addon", addon="GcsFuseCsiDriver")
    assert deployed(patient).named() == []


def test_while_the_benchmark_runs_and_after_it(patient: Patient) -> None:
    busy = deployed(patient, *SHORT)
    busy.run("bench.job", **BENCHMARK)
    assert busy.named() == []
    busy.run("bench.result")
    assert busy.named() == []


@pytest.mark.slow
def test_after_a_pod_was_deleted(patient: Patient) -> None:
    whole = deployed(patient)
    [before] = pods(whole)
    whole.place.delete(before)
    eventually(lambda: pods(whole) != [before] and ready(whole))
    assert whole.named() == []


@pytest.mark.slow
def test_after_a_rollout(patient: Patient) -> None:
    deployed(patient)
    changed = deployed(patient, "server.flags.max-num-seqs=128")
    assert ready(changed)
    assert changed.named() == []


def test_after_the_clean_up(patient: Patient) -> None:
    whole = deployed(patient)
    whole.run("kube.absent", **TEMPLATES)
    assert whole.named() == []


def test_after_a_stockout_that_was_overcome(patient: Patient) -> None:
    patient.run("gke.cluster")
    patient.place.cloud.control("POST", "scenarios/stockout")
    refused = patient.place.apply("gke.node_pool")
    assert refused.error is not None
    assert patient.named() == ["s24-stockout"]
    patient.run("gke.node_pool", state="absent")
    patient.run("gke.node_pool")
    assert patient.named() == []


def pods(patient: Patient) -> list[Reference]:
    with patient.place.cluster() as cluster:
        found = cluster.list("v1", "Pod", "default", labels={"app": "vllm-tpu"})
    return [Reference.to(pod) for pod in found]


def test_a_benchmark_that_fails_for_an_unknown_reason_is_told_as_it_is(patient: Patient) -> None:
    busy = deployed(patient, "bench.input_len=64")
    busy.run("bench.job", **BENCHMARK)
    busy.place.apply("bench.result")
    [finding] = busy.findings()
    assert (finding.verdict, finding.fact) == ("warning", "it failed")
    assert "'input_len' must be higher" in str(finding.evidence)
