"""Jobs: success, failure, retries, indexes, and what removes them."""

from __future__ import annotations

from typing import Any

from tests.kube_control.kube_stand_in import Json, Kube, condition, gone, wait


def job(*command: str, policy: str = "Never", **spec: Any) -> Json:
    container = {"name": "main", "image": "busybox:1.37", "command": list(command)}
    template = {"spec": {"restartPolicy": policy, "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "work"},
        "spec": {"template": template, **spec},
    }


def pods(kube: Kube) -> list[Json]:
    return kube.pods(**{"batch.kubernetes.io/job-name": "work"})


def test_a_job_completes_when_its_pod_succeeds(kube: Kube) -> None:
    kube.apply(job("echo", "done"))
    found = kube.wait("Job", "work", until=condition("Complete", "True", "CompletionsReached"))
    assert condition("SuccessCriteriaMet")(found)
    assert found["status"]["succeeded"] == 1
    assert "completionTime" in found["status"]
    (pod,) = pods(kube)
    assert pod["metadata"].get("finalizers") is None
    assert kube.log(pod["metadata"]["name"]) == "done\n"
    assert kube.events("work", "Completed") == ["Job completed"]


def test_without_retries_one_failure_is_the_end(kube: Kube) -> None:
    kube.apply(job("false", backoffLimit=0))
    found = kube.wait("Job", "work", until=condition("Failed", "True", "BackoffLimitExceeded"))
    assert found["status"]["failed"] == 1
    assert len(pods(kube)) == 1


def test_failed_pods_are_replaced_up_to_the_limit(kube: Kube) -> None:
    kube.apply(job("false", backoffLimit=2))
    found = kube.wait("Job", "work", until=condition("Failed", "True", "BackoffLimitExceeded"))
    assert found["status"]["failed"] == 3
    assert len(pods(kube)) == 3


def test_restarts_in_place_count_as_well(kube: Kube) -> None:
    kube.apply(job("false", policy="OnFailure", backoffLimit=1))
    kube.wait("Job", "work", until=condition("Failed", "True", "BackoffLimitExceeded"))


def test_completions_and_parallelism(kube: Kube) -> None:
    kube.apply(job("true", completions=3, parallelism=2))
    found = kube.wait("Job", "work", until=condition("Complete"))
    assert found["status"]["succeeded"] == 3


def test_an_indexed_job_gives_each_pod_its_index(kube: Kube) -> None:
    kube.apply(
        job("printenv", "JOB_COMPLETION_INDEX", completions=3, parallelism=3, completionMode="Indexed")
    )
    found = kube.wait("Job", "work", until=condition("Complete"))
    assert found["status"]["completedIndexes"] == "0-2"
    assert sorted(kube.log(pod["metadata"]["name"]) for pod in pods(kube)) == ["0\n", "1\n", "2\n"]


def test_a_deadline_ends_a_job_that_takes_too_long(kube: Kube) -> None:
    kube.apply(job("sleep", "100", activeDeadlineSeconds=1))
    kube.wait("Job", "work", until=condition("Failed", "True", "DeadlineExceeded"))
    wait(lambda: pods(kube), until=lambda left: not left)


def test_an_ended_job_goes_after_its_time_to_live(kube: Kube) -> None:
    kube.apply(job("true", ttlSecondsAfterFinished=1))
    kube.wait("Job", "work", until=condition("Complete"))
    kube.wait("Job", "work", until=gone)
    wait(lambda: pods(kube), until=lambda left: not left)


def test_deleting_a_job_ends_its_pods(kube: Kube) -> None:
    kube.apply(job("sleep", "100"))
    wait(lambda: pods(kube), until=lambda found: bool(found) and found[0]["status"]["phase"] == "Running")
    kube.delete("Job", "work", propagationPolicy="Background")
    kube.wait("Job", "work", until=gone)
    wait(lambda: pods(kube), until=lambda left: not left)
