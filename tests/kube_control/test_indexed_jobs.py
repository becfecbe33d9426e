"""Indexed Jobs: a Pod for each index, what it is told, how often it is tried, and how the Job then ends."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest

from tests.kube_control.kube_stand_in import Json, Kube, condition, wait

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
ONLY_INDEX_1_FAILS = 'test "$JOB_COMPLETION_INDEX" != 1'
MEBIBYTE = 1024 * 1024


def job(script: str, *, policy: str = "Never", container: Json | None = None, **spec: Any) -> Json:
    main = {"name": "main", "image": "busybox:1.37", "command": ["sh", "-c", script], **(container or {})}
    pod = {"restartPolicy": policy, "containers": [main], **spec.pop("pod", {})}
    indexed = {"completionMode": "Indexed", "completions": 3, "parallelism": 3}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "work"},
        "spec": {"template": {"spec": pod}, **indexed, **spec},
    }


def pods(kube: Kube) -> list[Json]:
    found = kube.pods(**{"batch.kubernetes.io/job-name": "work"})
    return sorted(found, key=lambda pod: int(pod["metadata"]["annotations"][INDEX]))


def failed(reason: str) -> Any:
    return condition("Failed", "True", reason)


def refusal(kube: Kube, manifest: Json) -> str:
    answer = kube.session.post(kube.url("Job"), json=manifest)
    assert answer.status_code == 422, answer.text
    message: str = answer.json()["message"]
    return message.removeprefix('Job.batch "work" is invalid: ')


def test_each_pod_is_named_and_told_by_its_index(kube: Kube) -> None:
    kube.apply(job("echo $JOB_COMPLETION_INDEX $HOSTNAME"))
    kube.wait("Job", "work", until=condition("Complete", "True", "CompletionsReached"))
    for index, pod in enumerate(pods(kube)):
        metadata = pod["metadata"]
        assert re.fullmatch(rf"work-{index}-[a-z0-9]{{5}}", metadata["name"])
        assert metadata["labels"][INDEX] == str(index)
        assert pod["spec"]["hostname"] == f"work-{index}"
        assert kube.log(metadata["name"]) == f"{index} work-{index}\n"


def test_no_more_than_parallelism_run_at_once_and_the_lowest_indexes_go_first(kube: Kube) -> None:
    kube.apply(job("sleep 100", completions=5, parallelism=2))
    wait(lambda: (kube.get("Job", "work") or {})["status"], until=lambda status: status.get("active") == 2)
    assert [pod["metadata"]["annotations"][INDEX] for pod in pods(kube)] == ["0", "1"]


def test_the_status_counts_indexes_that_are_done(kube: Kube) -> None:
    kube.apply(job(ONLY_INDEX_1_FAILS + " || sleep 100", completions=4, parallelism=4))
    found = kube.wait("Job", "work", until=lambda found: (found or {})["status"].get("succeeded") == 3)
    assert found["status"]["completedIndexes"] == "0,2-3"
    assert "failedIndexes" not in found["status"]


def test_an_index_that_failed_is_tried_again_under_the_same_index(kube: Kube) -> None:
    kube.apply(job(ONLY_INDEX_1_FAILS, backoffLimit=1))
    found = kube.wait("Job", "work", until=failed("BackoffLimitExceeded"))
    assert found["status"]["completedIndexes"] == "0,2"
    assert [pod["metadata"]["annotations"][INDEX] for pod in pods(kube)] == ["0", "1", "1", "2"]


def test_with_a_limit_for_each_index_the_others_go_on(kube: Kube) -> None:
    kube.apply(job(ONLY_INDEX_1_FAILS, parallelism=1, backoffLimitPerIndex=1))
    found = kube.wait("Job", "work", until=failed("FailedIndexes"))
    assert found["spec"]["backoffLimit"] == 2147483647
    status = found["status"]
    assert (status["completedIndexes"], status["failedIndexes"]) == ("0,2", "1")
    assert (status["succeeded"], status["failed"]) == (2, 2)
    counts = [pod["metadata"]["annotations"][FAILURES] for pod in pods(kube)]
    assert sorted(counts) == ["0", "0", "0", "1"]
    assert kube.events("work", "FailedIndexes") == ["Job has failed indexes"]


def test_more_failed_indexes_than_allowed_end_the_job_at_once(kube: Kube) -> None:
    limits: Json = {"backoffLimitPerIndex": 0, "maxFailedIndexes": 0}
    kube.apply(job("test $JOB_COMPLETION_INDEX = 0 || sleep 100; false", **limits))
    found = kube.wait("Job", "work", until=failed("MaxFailedIndexesExceeded"))
    assert found["status"]["failedIndexes"] == "0"


def test_restarts_in_place_keep_the_empty_dir_and_count_towards_the_limit(kube: Kube) -> None:
    state: Json = {"volumeMounts": [{"name": "state", "mountPath": "/state"}]}
    volumes: Json = {"volumes": [{"name": "state", "emptyDir": {}}]}
    script = "echo tried >> /state/tries; test $(wc -l < /state/tries) = 3 && cat /state/tries"
    kube.apply(job(script, policy="OnFailure", container=state, pod=volumes, completions=1))
    kube.wait("Job", "work", until=condition("Complete"))
    (pod,) = pods(kube)
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 2
    assert kube.log(pod["metadata"]["name"]) == "tried\ntried\ntried\n"


def test_as_many_restarts_in_place_as_the_limit_end_the_job(kube: Kube) -> None:
    kube.apply(job("false", policy="OnFailure", backoffLimit=2, completions=1))
    kube.wait("Job", "work", until=failed("BackoffLimitExceeded"))
    assert len(kube.events(kube.events("work", "SuccessfulCreate")[0].split()[-1], "Started")) <= 3


def exit_codes(action: str, *values: int) -> Json:
    return {"rules": [{"action": action, "onExitCodes": {"operator": "In", "values": list(values)}}]}


def test_a_failure_policy_may_end_the_job_at_an_exit_code(kube: Kube) -> None:
    kube.apply(job("exit 42", completions=1, podFailurePolicy=exit_codes("FailJob", 42)))
    found = kube.wait("Job", "work", until=failed("PodFailurePolicy"))
    (pod,) = pods(kube)
    message = next(entry["message"] for entry in found["status"]["conditions"] if entry["type"] == "Failed")
    assert message == (
        f"Container main for pod default/{pod['metadata']['name']} failed with exit code 42"
        " matching FailJob rule at index 0"
    )


def test_a_failure_policy_may_give_up_one_index(kube: Kube) -> None:
    policy = exit_codes("FailIndex", 1)
    kube.apply(job(ONLY_INDEX_1_FAILS, backoffLimitPerIndex=5, podFailurePolicy=policy))
    found = kube.wait("Job", "work", until=failed("FailedIndexes"))
    assert (found["status"]["failedIndexes"], found["status"]["failed"]) == ("1", 1)


def test_a_failure_policy_may_ignore_a_failure(kube: Kube) -> None:
    kube.apply(job("exit 42", completions=1, backoffLimit=0, podFailurePolicy=exit_codes("Ignore", 42)))
    wait(lambda: pods(kube), until=lambda found: len(found) >= 2)
    assert "failed" not in (kube.get("Job", "work") or {})["status"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"completions": None}, "spec.completions: Required value: when completion mode is Indexed"),
        (
            {"completionMode": "Ordered"},
            'spec.completionMode: Unsupported value: "Ordered": supported values: "Indexed", "NonIndexed"',
        ),
        (
            {"completionMode": "NonIndexed", "backoffLimitPerIndex": 1},
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
        ),
        (
            {"maxFailedIndexes": 1},
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        ),
        (
            {"maxFailedIndexes": 4, "backoffLimitPerIndex": 1},
            "spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions",
        ),
        (
            {"policy": "OnFailure", "podFailurePolicy": exit_codes("FailJob", 1)},
            'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when'
            " podFailurePolicy is specified",
        ),
        (
            {"podFailurePolicy": exit_codes("FailIndex", 1)},
            'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the'
            " backoffLimitPerIndex to be set",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(kube: Kube, changes: Json, message: str) -> None:
    assert refusal(kube, job("true", **changes)) == message


def test_the_limit_of_an_index_may_not_change(kube: Kube) -> None:
    kube.apply(job("sleep 100", backoffLimitPerIndex=1))
    change = {"spec": {"backoffLimitPerIndex": 2}}
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = kube.session.patch(kube.url("Job", "work"), json=change, headers=headers)
    assert answer.status_code == 422
    assert "spec.backoffLimitPerIndex: Invalid value: 2: field is immutable" in answer.json()["message"]


def program(content: bytes) -> Json:
    data = {"program.bin": base64.b64encode(content).decode()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "program"}, "binaryData": data}


def test_a_binary_file_of_a_config_map_is_mounted_as_it_is(kube: Kube) -> None:
    content = bytes(range(256)) * (MEBIBYTE // 256 - 1)
    kube.apply(program(content))
    mounted: Json = {"volumeMounts": [{"name": "program", "mountPath": "/program"}]}
    volumes: Json = {"volumes": [{"name": "program", "configMap": {"name": "program"}}]}
    kube.apply(job("sha256sum < /program/program.bin", container=mounted, pod=volumes, completions=1))
    kube.wait("Job", "work", until=condition("Complete"))
    (pod,) = pods(kube)
    assert hashlib.sha256(content).hexdigest() in kube.log(pod["metadata"]["name"])


def test_a_config_map_of_more_than_a_mebibyte_is_refused(kube: Kube) -> None:
    answer = kube.session.post(kube.url("ConfigMap"), json=program(b"x" * (MEBIBYTE + 1)))
    assert answer.status_code == 422
    assert 'ConfigMap "program" is invalid' in answer.json()["message"]
    assert "Too long: may not be more than 1048576 bytes" in answer.json()["message"]


def test_a_secret_comes_as_a_variable_and_may_be_left_out_where_it_is_optional(kube: Kube) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub"}}
    kube.apply({**secret, "stringData": {"token": "hf_x"}})
    references = {
        "TOKEN": {"name": "hub", "key": "token"},
        "OTHER": {"name": "none", "key": "token", "optional": True},
    }
    variables = [{"name": name, "valueFrom": {"secretKeyRef": key}} for name, key in references.items()]
    kube.apply(job('echo "$TOKEN ${OTHER-unset}"', container={"env": variables}, completions=1))
    kube.wait("Job", "work", until=condition("Complete"))
    assert kube.log(pods(kube)[0]["metadata"]["name"]) == "hf_x unset\n"
