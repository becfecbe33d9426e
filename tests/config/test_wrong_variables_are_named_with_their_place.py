"""Each mistake is one clear error with file and line, before anything is sent."""

from __future__ import annotations

import pytest

from runbook.config.problems import VariablesError


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("clustr:\n  name: x\n", 8, "unknown variable clustr, did you mean cluster?"),
        (
            "bench:\n  input_length: 5\n",
            9,
            "unknown variable bench.input_length, did you mean bench.input_len?",
        ),
        (
            "server:\n  tensor_parallel_size: 2\n",
            9,
            "unknown variable server.tensor_parallel_size, did you mean server.flags.tensor-parallel-size?",
        ),
        ("nothing_like_it: 1\n", 8, "unknown variable nothing_like_it"),
        ("server:\n  replicas: two\n", 9, "server.replicas must be a whole number, and is the text 'two'"),
        ("server:\n  replicas: 1.5\n", 9, "server.replicas must be a whole number, and is the number 1.5"),
        ("server:\n  replicas: -1\n", 9, "server.replicas must be at least 0, and is the number -1"),
        ("server:\n  port: 70000\n", 9, "server.port must be at most 65535, and is the number 70000"),
        ("smoke:\n  temperature: 3\n", 9, "smoke.temperature must be at most 2, and is the number 3"),
        ("smoke:\n  prompt: ''\n", 9, "smoke.prompt must not be empty"),
        ("server: 5\n", 8, "server must be a group of variables, and is the number 5"),
        ("server:\n  flags: [a]\n", 9, "server.flags must be a mapping, and is a list"),
        (
            "server:\n  flags:\n    x: [1]\n",
            10,
            "server.flags.x must be text, a number, true or false, and is a list",
        ),
        (
            "server:\n  flags:\n    --max-num-seqs: 2\n",
            10,
            "the name must be a flag's name without the leading --",
        ),
        (
            "checkpoint:\n  include:\n    - a\n    - 5\n",
            11,
            "checkpoint.include.1 must be text, and is the number 5",
        ),
        ("checkpoint:\n  exclude: x\n", 9, "checkpoint.exclude must be a list, and is the text 'x'"),
        ("provider_: gke\n", 8, "unknown variable provider_, did you mean provider?"),
        (
            "bench:\n  dataset: sonet\n",
            9,
            "bench.dataset must be one of sonnet or random, and is the text 'sonet'",
        ),
        (
            "transfer:\n  where: cloud\n",
            9,
            "transfer.where must be one of local, ssh or cluster, and is the text 'cloud'",
        ),
        ("transfer:\n  workers: 65\n", 9, "transfer.workers must be at most 64, and is the number 65"),
        ("transfer:\n  ssh: {host: me@near}\n", 9, "without user and port, and is the text 'me@near'"),
        ("transfer:\n  ssh: {folder: ~/runbook}\n", 9, "transfer.ssh.folder must be a folder there"),
        ("tpu:\n  topology: 2x2x\n", 9, "tpu.topology must be a TPU topology, such as 2x2x1"),
        ("checkpoint:\n  folder: ../elsewhere\n", 9, "checkpoint.folder must be a folder inside the bucket"),
        ("checkpoint:\n  folder: gs://b/f\n", 9, "without gs:// and the bucket"),
        ("volume:\n  mount_path: /model/\n", 9, "must be an absolute path without a trailing /"),
        ("kube:\n  namespace: Team_A\n", 9, "kube.namespace must be 1 to 63 lower-case letters"),
        ("bench:\n  memory: 8 GB\n", 9, "bench.memory must be a Kubernetes quantity"),
        ("bucket_: {}\n", 8, "unknown variable bucket_, did you mean bucket?"),
        ("bench:\n  timeout_s: null\n", 9, "bench.timeout_s must be a whole number, and is null"),
        ("bench:\n  workload: chatt\n", 9, "there is no workload chatt, did you mean chat?"),
        (
            "bench:\n  workloads:\n    chat: {input_len: 0}\n",
            10,
            "bench.workloads.chat.input_len must be at least 1",
        ),
        (
            "bench:\n  workloads:\n    chat: {inputlen: 5}\n",
            10,
            "unknown variable bench.workloads.chat.inputlen, did you mean bench.workloads.chat.input_len?",
        ),
    ],
)
def test_in_the_environment_s_file(repository, text, place, message):
    repository.add(text)
    error = repository.error()
    assert message in error.message
    assert str(error.place) == f"vars/envs/mine.yml:{place}"


def test_a_workload_says_all_of_itself(repository):
    repository.add("bench:\n  workloads:\n    mine: {dataset: random, input_len: 5, output_len: 5}\n")
    assert "bench.workloads.mine.num_prompts is not set (requests in all)" in repository.error().message


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("clustr.name=x", "unknown variable clustr.name, did you mean cluster.name?"),
        ("max-model-len=9", "unknown variable max-model-len, did you mean server.flags.max-model-len?"),
        ("region.name=x", "unknown variable region.name"),
        ("bench.input_len=abc", "bench.input_len must be a whole number, and is the text 'abc'"),
        ("bench.input_len", "bench.input_len has no value"),
        ("bench.metric_percentiles=[99", "is not valid YAML"),
        ("project=123456789", "project must be a project's ID"),
        ("region=us-central1-c", "region must be a region such as us-central1"),
        ("zone=us-central1", "zone must be a zone such as us-central1-c"),
        ("cluster.name=My-Cluster", "cluster.name must be 1 to 40 lower-case letters"),
        ("bucket.name=gs://team-models", "bucket.name must be a bucket's name, without gs://"),
        ("bucket.name=my-google-models", "no google in it"),
        ("bucket.name=<YOUR_BUCKET>", "bucket.name: the placeholder <YOUR_BUCKET> is left in"),
        ("node_pool.reservation=a b", "node_pool.reservation must be a reservation's name"),
    ],
)
def test_on_the_command_line(repository, setting, message):
    error = repository.error(setting)
    assert message in error.message
    assert str(error.place) == f"--set {setting.partition('=')[0]}"


def test_in_the_process_environment(repository):
    error = repository.error(RUNBOOK_CLUSTR_NAME="x")
    assert error.message == "unknown variable RUNBOOK_CLUSTR_NAME, did you mean RUNBOOK_CLUSTER_NAME?"
    assert str(error.place) == "RUNBOOK_CLUSTR_NAME"
    assert "must be a whole number" in repository.error(RUNBOOK_SERVER_REPLICAS="x").message


@pytest.mark.parametrize(
    ("value", "placeholder"),
    [
        ("<YOUR_BUCKET>", "<YOUR_BUCKET>"),
        ("{YOUR_BUCKET}", "{YOUR_BUCKET}"),
        ("{YOUR_BUCKET}-models", "{YOUR_BUCKET}"),
        ("'team-<YOUR_TEAM>'", "<YOUR_TEAM>"),
        ("<your bucket>", "<your bucket>"),
    ],
)
def test_a_placeholder_left_in_is_named(repository, value, placeholder):
    repository.write(f"bucket:\n  name: {value}\n")
    error = repository.error()
    assert f"the placeholder {placeholder} is left in" in error.message
    assert str(error.place) == "vars/envs/mine.yml:2"


def test_a_placeholder_in_a_list_is_named_with_its_own_line(repository):
    repository.add("checkpoint:\n  include:\n    - a\n    - <YOUR_FILE>\n")
    assert str(repository.error().place) == "vars/envs/mine.yml:11"


def test_a_placeholder_that_another_layer_overrides_does_no_harm(repository):
    repository.add("smoke: {prompt: <YOUR_PROMPT>}\n")
    assert repository.load("smoke.prompt=hello").variables.smoke.prompt == "hello"


def test_all_placeholders_of_the_example_are_listed_at_once(repository):
    error = repository.error(env="gke.example")
    assert isinstance(error, VariablesError)
    assert [problem.message.split(":")[0] for problem in error.problems] == [
        "project",
        "region",
        "zone",
        "cluster.name",
        "node_pool.name",
        "node_pool.reservation",
        "bucket.name",
    ]
    assert all(str(problem) in error.message for problem in error.problems)


def test_braces_around_a_value_are_explained(repository):
    repository.add("kube: {context: {team-a}}\n")
    error = repository.error()
    assert error.message == "kube.context must be text, and is a mapping"
    assert error.remedy == "braces make a mapping in YAML: write team-a without them"


def test_a_number_where_text_is_wanted_is_to_be_quoted(repository):
    repository.add("server:\n  env:\n    TPU_MULTIPROCESS_DP: 0\n")
    assert repository.error().remedy == 'put quotes around it: "0"'


def test_yes_is_no_boolean(repository):
    repository.add("kube:\n  force: yes\n")
    error = repository.error()
    assert error.message == "kube.force must be true or false, and is the text 'yes'"
    assert "only true and false" in (error.remedy or "")


def test_several_mistakes_are_told_together(repository):
    repository.add("kube:\n  force: yes\nbench:\n  cpu: 4\n")
    error = repository.error()
    assert error.message.startswith("2 variables are wrong\n  vars/envs/mine.yml:9: kube.force")
    assert "vars/envs/mine.yml:11: bench.cpu" in error.message
    assert str(error.place) == "vars/envs/mine.yml:9"


def test_an_unknown_environment_lists_those_that_exist(repository):
    error = repository.error(env="rehersal")
    assert error.message == "unknown environment rehersal, did you mean rehearsal?"
    assert "mine, rehearsal" in (error.remedy or "")
    assert "gke.example," not in (error.remedy or "")


@pytest.mark.parametrize("name", ["../defaults", "", "a/b"])
def test_an_environment_is_a_name_not_a_path(repository, name):
    assert "unknown environment" in repository.error(env=name).message


@pytest.mark.parametrize(
    ("selector", "existing"),
    [("model", "gpt-oss-120b, gpt-oss-tiny"), ("hardware", "tpu7x-2x2x1"), ("storage", "gcsfuse")],
)
def test_an_unknown_file_of_a_layer_lists_those_that_exist(repository, selector, existing):
    repository.add(f"{selector}: nothing\n")
    error = repository.error()
    assert "nothing.yml" in error.message
    assert str(error.place) == "vars/envs/mine.yml:8"
    assert error.remedy == f"there are: {existing}"


def test_a_missing_variable_says_what_it_is_for(repository):
    repository.write("tpu: {chips: 4}\n", "hardware/mine.yml")
    error = repository.error("hardware=mine")
    assert (
        "tpu.topology is not set (value of the node label cloud.google.com/gke-tpu-topology)" in error.message
    )


@pytest.mark.parametrize(
    "name", ["project", "region", "zone", "cluster.name", "node_pool.name", "bucket.name"]
)
def test_gke_needs_the_guide_s_parameters(repository, name):
    error = repository.error(f"{name}=")
    assert error.message == f"{name} is not set, and provider gke needs it"
    assert error.remedy == "set it in vars/envs/mine.yml"


def test_an_environment_that_sets_nothing_is_told_what_it_needs_in_its_own_file(repository):
    repository.write("provider: gke\n")
    error = repository.error()
    assert error.message.count("is not set, and provider gke needs it") == 6, error.message
    assert str(error.place) == "vars/envs/mine.yml"


def test_a_kubeconfig_needs_no_google_cloud_but_the_bucket(repository):
    repository.write("provider: kubeconfig\nbucket: {name: team-models}\n")
    assert repository.load().variables.project == ""
