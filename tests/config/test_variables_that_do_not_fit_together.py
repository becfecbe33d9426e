"""What must hold between variables is an error; what probably should is a warning."""

from __future__ import annotations

import pytest


def warnings(loaded):
    return [str(warning) for warning in loaded.warnings]


def test_the_guide_s_own_values_give_no_warning(repository):
    assert warnings(repository.load()) == []
    assert warnings(repository.load(env="rehearsal")) == []


def test_parallelism_that_does_not_fill_the_cores_is_a_warning(repository):
    repository.add("server:\n  flags:\n    tensor-parallel-size: 4\n")
    assert warnings(repository.load()) == [
        "vars/envs/mine.yml:10: server.flags.tensor-parallel-size 4 x data-parallel-size 4 is 16 devices, "
        "and the node has 8 (make the product 8: 4 chips x 2 cores)"
    ]


@pytest.mark.parametrize(
    "flags", ["{tensor-parallel-size: 8, data-parallel-size: null}", "{pipeline-parallel-size: 1}"]
)
def test_any_parallelism_that_fills_the_cores_will_do(repository, flags):
    repository.add(f"server: {{flags: {flags}}}\n")
    assert warnings(repository.load()) == []


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        (["zone=us-central1-a"], "zone us-central1-a is not known to have tpu7x-standard-4t"),
        (["server.replicas=2"], "server.replicas is 2, and there are TPU nodes for 1"),
        (["node_pool.capacity=spot"], "node_pool.reservation is not used: node_pool.capacity is spot"),
        (["bucket.location=europe-west4"], "bucket.location europe-west4 is away from us-central1"),
        (["bench.dataset=random"], "bench.input_len 1024 + output 8192 + 16 is more than max-model-len 9216"),
        (["bench.output_len=9000"], "bench.input_len 1024 + output 9000 + 0 is more than max-model-len 9216"),
        (["bench.input_len=200"], "bench.input_len 200 is not more than sonnet's prefix of 200 tokens"),
        (["server.image=vllm/vllm-tpu:latest"], "server.image vllm/vllm-tpu:latest moves"),
        (["server.image=vllm/vllm-tpu"], "server.image vllm/vllm-tpu moves"),
        (["bench.image=vllm/vllm-tpu:v0.29.0"], "bench.image is not the server's image"),
        (["server.startup_probe.failures=10"], "server.startup_probe.failures allows 150 s, less than"),
        (["server.ready_timeout_s=600"], "server.ready_timeout_s is less than server.engine_ready_timeout_s"),
        (["server.expose=internal", "server.source_ranges=[10.0.0.0/8]"], "server.api_key is not set"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(repository, settings, warning):
    told = warnings(repository.load(*settings))
    assert len(told) == 1
    assert warning in told[0]


@pytest.mark.parametrize("location", ["US-CENTRAL1", "us", "US"])
def test_a_bucket_around_the_region_is_near_enough(repository, location):
    assert warnings(repository.load(f"bucket.location={location}")) == []


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (["zone=europe-west4-a"], "zone europe-west4-a is not in the region us-central1"),
        (["cluster.location=europe-west4"], "cluster.location europe-west4 is not in the region us-central1"),
        (
            ["node_pool.reservation="],
            "node_pool.reservation is not set, and node_pool.capacity is reservation",
        ),
        (["tpu.chips=8"], "tpu.chips is 8, and one host of topology 2x2x1 has another number"),
        (["server.flags.port=9000"], "server.flags.port is written by the manifest itself"),
        (["server.flags.model=x"], "server.flags.model is written by the manifest itself"),
        (
            ["teardown.bucket=other-models"],
            "teardown.bucket names other-models, and this environment's bucket is",
        ),
        (
            ["rehearsal.time_scale=1"],
            "rehearsal.time_scale is for the rehearsal only, and the provider is gke",
        ),
        (["transfer.where=ssh"], "transfer.ssh.host is not set, and transfer.where is ssh"),
        (["server.expose=external"], "server.api_key is not set, and server.expose is external"),
        (["server.expose=external"], "server.source_ranges is empty, and server.expose is external"),
    ],
)
def test_what_cannot_work_is_an_error(repository, settings, error):
    assert error in repository.error(*settings).message


@pytest.mark.parametrize("capacity", ["on-demand", "spot", "flex-start"])
def test_other_capacity_needs_no_reservation(repository, capacity):
    loaded = repository.load(f"node_pool.capacity={capacity}", "node_pool.reservation=")
    assert loaded.variables.node_pool.capacity == capacity


def test_a_shared_reservation_is_named_with_its_project(repository):
    repository.load("node_pool.reservation=projects/owner-project/reservations/team-tpu")


def test_the_guide_on_the_rehearsal_is_the_same_environment_with_another_provider(repository):
    loaded = repository.load("provider=rehearsal", "rehearsal.time_scale=0.01")
    assert loaded.variables.checkpoint.repository == "openai/gpt-oss-120b"
    assert loaded.variables.rehearsal.time_scale == 0.01
