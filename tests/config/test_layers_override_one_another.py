"""defaults < model < hardware < storage < environment < RUNBOOK_<KEY> < --set, key by key."""

from __future__ import annotations

import pytest


def places(provenance):
    return [str(origin.place) for origin in provenance.origins]


def test_a_later_layer_overrides_an_earlier_one_and_the_history_is_kept(repository):
    repository.add("bench:\n  input_len: 512\n")
    loaded = repository.load("bench.input_len=128", RUNBOOK_BENCH_INPUT_LEN="256")
    provenance = loaded.provenance("bench.input_len")
    assert loaded.variables.bench.input_len == 128
    assert provenance.value == 128
    assert [origin.value for origin in provenance.origins] == [128, 256, 512, None]
    assert places(provenance)[:3] == [
        "--set bench.input_len",
        "RUNBOOK_BENCH_INPUT_LEN",
        "vars/envs/mine.yml:9",
    ]
    assert places(provenance)[3].startswith("vars/defaults.yml:")
    assert [origin.value for origin in provenance.overrode] == [256, 512, None]


def test_the_last_of_two_settings_holds(repository):
    assert repository.load("server.replicas=2", "server.replicas=3").variables.server.replicas == 3


def test_model_hardware_and_storage_files_are_chosen_by_name(repository):
    loaded = repository.load()
    assert str(loaded.provenance("server.flags.max-model-len").place).startswith(
        "vars/models/gpt-oss-120b.yml:"
    )
    assert str(loaded.provenance("tpu.chips").place).startswith("vars/hardware/tpu7x-2x2x1.yml:")
    assert str(loaded.provenance("volume.claim").place).startswith("vars/storage/gcsfuse.yml:")


@pytest.mark.parametrize(
    ("settings", "environ"), [(["model=gpt-oss-tiny"], {}), ([], {"RUNBOOK_MODEL": "gpt-oss-tiny"})]
)
def test_any_later_layer_may_choose_another_model(repository, settings, environ):
    loaded = repository.load(*settings, **environ)
    assert loaded.variables.model == "gpt-oss-tiny"
    assert loaded.variables.checkpoint.folder == "gpt-oss-tiny"


def test_the_command_line_s_choice_of_model_beats_the_process_environment_s(repository):
    loaded = repository.load("model=gpt-oss-120b", RUNBOOK_MODEL="gpt-oss-tiny")
    assert loaded.variables.checkpoint.folder == "gpt-oss-120b"


def test_a_model_s_file_cannot_choose_the_hardware(repository):
    repository.write("hardware: other\n", "models/mine.yml")
    error = repository.error("model=mine")
    assert "hardware cannot be set here" in error.message
    assert str(error.place) == "vars/models/mine.yml:1"


def test_mappings_are_merged_and_lists_replaced(repository):
    repository.add("volume: {mount_options: [implicit-dirs]}\nserver: {flags: {max-num-seqs: 512}}\n")
    tree = repository.load().tree
    assert tree["volume"]["mount_options"] == ["implicit-dirs"]
    assert tree["server"]["flags"]["max-num-seqs"] == 512
    assert tree["server"]["flags"]["max-model-len"] == 9216


def test_null_takes_an_entry_out_of_an_open_mapping(repository):
    repository.add("server:\n  env: {TPU_BACKEND_TYPE: null}\n  flags: {async-scheduling: null}\n")
    server = repository.load("server.env.MODEL_IMPL_TYPE=null").variables.server
    assert server.env == {}
    assert "async-scheduling" not in server.flags


def test_an_empty_mapping_changes_nothing(repository):
    repository.add("server: {flags: {}}\nbench:\n")
    error = repository.error()
    assert "bench must be a group of variables, and is null" in error.message
    repository.add("server: {flags: {}}\n")
    assert repository.load().variables.server.flags["max-model-len"] == 9216


@pytest.mark.parametrize(
    ("key", "followed"),
    [("cluster.location", "region"), ("bucket.location", "region"), ("bench.image", "server.image")],
)
def test_a_variable_left_null_follows_another_and_says_so(repository, key, followed):
    loaded = repository.load()
    assert loaded.provenance(key).value == loaded.provenance(followed).value
    assert loaded.provenance(key).place == loaded.provenance(followed).place
    assert loaded.provenance(key).origins[0].same_as == followed


def test_what_bench_leaves_null_follows_the_chosen_workload(repository):
    mine = "{dataset: random, input_len: 7, output_len: 8, num_prompts: 9}"
    repository.add(f"bench:\n  workload: mine\n  workloads:\n    mine: {mine}\n")
    loaded = repository.load("bench.num_prompts=3")
    bench = loaded.variables.bench
    assert (bench.dataset, bench.input_len, bench.output_len, bench.num_prompts) == ("random", 7, 8, 3)
    assert (bench.max_concurrency, bench.request_rate) == (None, None)
    assert str(loaded.provenance("bench.input_len").place) == "vars/envs/mine.yml:11"
    assert loaded.provenance("bench.input_len").origins[0].same_as == "bench.workloads.mine.input_len"


@pytest.mark.parametrize(("env", "longest"), [("mine", 9216), ("rehearsal", 1024)])
@pytest.mark.parametrize("name", ["guide", "guide-random", "chat", "short"])
def test_each_workload_that_is_shipped_fits_the_model(repository, env, longest, name):
    loaded = repository.load(f"bench.workload={name}", env=env)
    assert loaded.variables.server.flags["max-model-len"] == longest
    assert not [warning for warning in loaded.warnings if "bench" in str(warning)]


def test_one_value_of_a_workload_is_set_by_its_own_name(repository):
    loaded = repository.load("bench.workload=chat", RUNBOOK_BENCH_WORKLOADS_CHAT_MAX_CONCURRENCY="5")
    assert loaded.variables.bench.max_concurrency == 5
    assert repository.load("bench.workloads.chat=null").variables.bench.workloads.keys() >= {"guide", "short"}


def test_the_system_nodes_stand_in_the_zone_of_the_tpu_unless_said_otherwise(repository):
    assert repository.load().variables.cluster.system_zones == ("us-central1-c",)
    chosen = repository.load("cluster.system_zones=[us-central1-a, us-central1-b]")
    assert chosen.variables.cluster.system_zones == ("us-central1-a", "us-central1-b")


@pytest.mark.parametrize(
    ("name", "value", "key", "expected"),
    [
        ("RUNBOOK_CLUSTER_NAME", "other", "cluster.name", "other"),
        ("RUNBOOK_NODE_POOL_NODES", "2", "node_pool.nodes", 2),
        ("RUNBOOK_SERVER_FLAGS_MAX_MODEL_LEN", "10240", "server.flags.max-model-len", 10240),
        ("RUNBOOK_SERVER_ENV_TPU_BACKEND_TYPE", "1", "server.env.TPU_BACKEND_TYPE", "1"),
        ("RUNBOOK_BENCH_MAX_CONCURRENCY", "64", "bench.max_concurrency", 64),
        ("RUNBOOK_SMOKE_PROMPT", "a: {b", "smoke.prompt", "a: {b"),
    ],
)
def test_the_process_environment_sets_any_key(repository, name, value, key, expected):
    loaded = repository.load(**{name: value})
    assert loaded.provenance(key).value == expected
    assert str(loaded.provenance(key).place) == name


def test_home_and_environment_of_the_runner_are_no_variables(repository):
    repository.load(RUNBOOK_HOME="/somewhere", RUNBOOK_ENV="mine", HOME="/home/me")


@pytest.mark.parametrize(
    ("setting", "key", "expected"),
    [
        ("server.env.VLLM_XLA_CACHE_PATH=/cache", "server.env.VLLM_XLA_CACHE_PATH", "/cache"),
        ("server.env.FLAG=1", "server.env.FLAG", "1"),
        ("server.flags.swap-space=0", "server.flags.swap-space", 0),
        ("server.flags.enable-expert-parallel=true", "server.flags.enable-expert-parallel", True),
        ("bench.metric_percentiles=[50, 99.9]", "bench.metric_percentiles", [50, 99.9]),
        ("kube.kubeconfig=null", "kube.kubeconfig", None),
        ("kube.context=team=a", "kube.context", "team=a"),
        ("teardown.bucket=", "teardown.bucket", ""),
        ("bench.cpu=8", "bench.cpu", "8"),
    ],
)
def test_a_setting_is_typed_by_its_variable(repository, setting, key, expected):
    assert repository.load(setting).provenance(key).value == expected


def test_a_setting_may_give_a_whole_group(repository):
    loaded = repository.load("bench={input_len: 300, output_len: 20}")
    assert (loaded.variables.bench.input_len, loaded.variables.bench.output_len) == (300, 20)
    assert loaded.variables.bench.num_prompts == 1000


def test_variables_do_not_change_after_loading(repository):
    with pytest.raises(ValueError, match="frozen"):
        repository.load().variables.server.replicas = 5
