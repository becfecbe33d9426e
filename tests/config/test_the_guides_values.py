"""The example environment, filled in, is the guide."""

from __future__ import annotations

import re

import pytest

ANSWERS = {
    "<YOUR_PROJECT_ID>": "team-project",
    "<YOUR_REGION>": "us-central1",
    "<YOUR_ZONE>": "us-central1-c",
    "<YOUR_CLUSTER_NAME>": "serving",
    "<YOUR_NODEPOOL_NAME>": "tpu-pool",
    "<YOUR_RESERVATION_NAME>": "team-tpu",
    "<YOUR_BUCKET>": "team-models",
}


@pytest.fixture
def filled(repository):
    """The example as a user fills it."""
    example = (repository.root / "vars/envs/gke.example.yml").read_text()
    repository.write(re.sub(r"(?<=: )<YOUR_\w+>", lambda match: ANSWERS[match[0]], example))
    return repository.load()


def test_the_example_needs_only_the_seven_answers(filled):
    assert filled.variables.provider == "gke"
    assert filled.warnings == ()


def test_infrastructure(filled):
    variables = filled.variables
    assert (variables.cluster.release_channel, variables.cluster.gateway_api) == ("rapid", True)
    assert (variables.node_pool.nodes, variables.tpu.machine_type) == (1, "tpu7x-standard-4t")
    assert (variables.tpu.accelerator, variables.tpu.topology, variables.tpu.chips) == ("tpu7x", "2x2x1", 4)


def test_server(filled):
    server = filled.variables.server
    assert server.image == "vllm/vllm-tpu:nightly-ironwood-20251217-baf570b-0cd5353"
    assert server.flags == {
        "tensor-parallel-size": 2,
        "data-parallel-size": 4,
        "max-model-len": 9216,
        "max-num-batched-tokens": 16384,
        "max-num-seqs": 2048,
        "no-enable-prefix-caching": True,
        "load-format": "runai_streamer",
        "kv-cache-dtype": "fp8",
        "async-scheduling": True,
        "gpu-memory-utilization": 0.86,
    }
    assert server.env == {"TPU_BACKEND_TYPE": "jax", "MODEL_IMPL_TYPE": "vllm"}
    assert (server.name, server.service, server.port, server.replicas) == (
        "vllm-tpu",
        "vllm-service",
        8000,
        1,
    )


def test_volume(filled):
    volume = filled.variables.volume
    assert volume.mount_path == "/model-vol-mount"
    assert volume.mount_options == (
        "implicit-dirs",
        "metadata-cache:negative-ttl-secs:0",
        "metadata-cache:ttl-secs:-1",
        "metadata-cache:stat-cache-max-size-mb:-1",
        "metadata-cache:type-cache-max-size-mb:-1",
        "file-system:kernel-list-cache-ttl-secs:-1",
    )
    assert volume.attributes == {"skipCSIBucketAccessCheck": "true", "gcsfuseMetadataPrefetchOnMount": "true"}


def test_smoke_and_bench(filled):
    smoke, bench = filled.variables.smoke, filled.variables.bench
    assert (smoke.prompt, smoke.max_tokens, smoke.temperature) == ("San Francisco is a", 7, 0)
    assert (bench.dataset, bench.input_len, bench.output_len, bench.num_prompts) == (
        "sonnet",
        1024,
        8192,
        1000,
    )
    assert bench.image == filled.variables.server.image


def test_only_what_is_served_is_moved(filled):
    checkpoint = filled.variables.checkpoint
    assert checkpoint.repository == "openai/gpt-oss-120b"
    assert re.fullmatch("[0-9a-f]{40}", checkpoint.revision)
    assert set(checkpoint.exclude) == {"original/*", "metal/*"}
    assert {"*.safetensors", "chat_template.jinja", "tokenizer*.json"} <= set(checkpoint.include)


def test_the_tiny_model_has_the_large_one_s_flags(filled, repository):
    tiny = repository.load(env="rehearsal").variables
    assert tiny.server.flags.keys() == filled.variables.server.flags.keys()
    assert tiny.checkpoint.include == filled.variables.checkpoint.include
    assert tiny.bench.input_len + tiny.bench.output_len <= tiny.server.flags["max-model-len"]
