"""What a look at objects concludes: that something does not pass, how long it may last, or nothing."""

from __future__ import annotations

import pytest

from runbook.clients.kube.objects import Object
from runbook.engine.errors import CredentialsError, PassingError, RunbookError
from runbook.steps.kube.creation import diagnose_absence
from runbook.steps.kube.diagnosis import diagnose_pods
from runbook.steps.kube.supply import Growth, Supply, whole
from runbook.steps.kube.trouble import Diagnosis
from tests.steps_kube.seen import Seen, event, node, pod, unscheduled_pod, waits


def looked_at(seen: Seen, *pods: Object, supply: Supply | None = None) -> Diagnosis:
    found = diagnose_pods(seen, pods, supply=supply or Supply())
    assert found is not None
    return found


CRASHED = pod(
    phase="Running",
    containerStatuses=[
        waits("CrashLoopBackOff", restartCount=3, lastState={"terminated": {"exitCode": 1}}),
    ],
)


@pytest.mark.parametrize(
    ("trouble", "patience"),
    [
        (PassingError("error trying to reach service: No agent available (500)"), 120),
        (CredentialsError('pods is forbidden: User "a" cannot get resource "pods/log"'), 0),
    ],
)
def test_a_crash_is_told_though_its_log_cannot_be_read(trouble: RunbookError, patience: float) -> None:
    found = looked_at(Seen(log=trouble), CRASHED)
    assert (found.cause, found.patience_seconds) == ("CrashLoopBackOff", patience)
    assert found.evidence.endswith(
        f"ended with code 1, 3 times; its log could not be read: {trouble.message}"
    )


PULL = 'Back-off pulling image "vllm/vllm-tpu:v1": ErrImagePull: '
RESOLVE = "failed to resolve reference: failed to do request: Head https://r: "


@pytest.mark.parametrize(
    ("reason", "message", "cause"),
    [
        ("ImagePullBackOff", f"{PULL}429 Too Many Requests: denied: Quota exceeded", "registry"),
        ("ImagePullBackOff", f"{PULL}{RESOLVE}dial tcp 1.2.3.4:443: i/o timeout", "registry"),
        ("ImagePullBackOff", f"{PULL}{RESOLVE}dial tcp: lookup r: no such host", "registry"),
        ("ImagePullBackOff", f"{PULL}read tcp 1.2.3.4:5: connection reset by peer", "registry"),
        ("ErrImagePull", "failed to copy: httpReadSeeker: unexpected EOF", "registry"),
        ("ErrImagePull", "pull QPS exceeded", "registry"),
        ("ErrImagePull", "unexpected status from HEAD request: 500 Internal Server Error", "registry"),
        ("ImagePullBackOff", 'Back-off pulling image "vllm/vllm-tpu:v1"', "registry"),
        ("ErrImagePull", "rpc error: code = NotFound desc = vllm/vllm-tpu:v1: not found", "image"),
        ("ImagePullBackOff", f"{PULL}manifest unknown", "image"),
        ("ImagePullBackOff", f"{PULL}pull access denied, repository does not exist", "image"),
        ("ImagePullBackOff", f"{PULL}failed to fetch oauth token: 403 Forbidden", "image"),
        ("InvalidImageName", "couldn't parse image name", "image"),
        ("ErrImageNeverPull", "", "image"),
    ],
)
def test_only_a_refusal_of_the_image_is_final(reason: str, message: str, cause: str) -> None:
    found = looked_at(Seen(), pod(containerStatuses=[waits(reason, message)]))
    assert (found.cause, found.patience_seconds) == (cause, 300 if cause == "registry" else 0)
    assert found.remedy is not None
    assert ("server.image" in found.remedy) == (cause == "image")


@pytest.mark.parametrize(
    ("message", "patience"),
    [
        ('failed to reserve container name "server_0": name "server_0" is reserved for "9f2c"', 1800),
        ('secret "api-key" not found', 120),
    ],
)
def test_a_long_mount_is_given_time(message: str, patience: float) -> None:
    found = looked_at(Seen(), pod(containerStatuses=[waits("CreateContainerError", message)]))
    assert (found.cause, found.patience_seconds) == ("CreateContainerError", patience)


CLAIM: Object = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "claim", "namespace": "default", "uid": "new"},
    "spec": {},
}


@pytest.mark.parametrize(("uid", "patience"), [("old", 120), ("new", 0), ("", 0)])
def test_what_was_told_of_a_claim_that_is_gone_is_not_told_of_the_next(uid: str, patience: float) -> None:
    waiting = pod()
    waiting["spec"]["volumes"] = [{"name": "model", "persistentVolumeClaim": {"claimName": "claim"}}]
    lost = event(CLAIM, "ClaimLost", "Bound claim has lost its PersistentVolume", uid)
    found = looked_at(Seen(CLAIM, lost), waiting)
    assert (found.cause, found.patience_seconds) == ("claim", patience)
    assert ("ClaimLost" in found.evidence) == (patience == 0)


JOB: Object = {"kind": "Job", "metadata": {"name": "bench", "namespace": "default", "uid": "new"}}
MAY_NOT = CredentialsError('events is forbidden: User "a" cannot list resource "events"')


def test_a_login_that_may_not_list_events_may_wait_for_a_job() -> None:
    refused = event(JOB, "FailedCreate", "exceeded quota: few", "new")
    assert diagnose_absence(Seen(refused), JOB).cause == "FailedCreate"
    assert diagnose_absence(Seen(hidden={"Event": MAY_NOT}), JOB).condition == "no Pod yet"


def test_pods_that_were_not_seen_leave_no_node_idle() -> None:
    waiting, expected = unscheduled_pod(), Supply(Growth.EXPECTED)
    may_not = CredentialsError('pods is forbidden: User "a" cannot list resource "pods"')
    hidden = Seen(node(), hidden={"Pod": may_not})
    assert looked_at(hidden, waiting, supply=expected).patience_seconds is None
    assert looked_at(Seen(node(), waiting), waiting, supply=expected).patience_seconds == 120
    assert looked_at(hidden, waiting, supply=Supply(Growth.NONE)).patience_seconds == 120


def holder(on: str) -> Object:
    """A Pod of the same revision, which holds a node's chips."""
    found = unscheduled_pod()
    found["metadata"] = {**found["metadata"], "name": f"holder-{on}"}
    return found | {"spec": {**found["spec"], "nodeName": on}, "status": {"phase": "Running"}}


def test_a_node_that_is_made_anew_is_waited_for() -> None:
    waiting, fixed = unscheduled_pod(), Supply(Growth.NONE, "tpu7x-pool", 2)
    system = node("system") | {"metadata": {"name": "system"}}
    gone = looked_at(Seen(system), waiting, supply=Supply(Growth.NONE, "tpu7x-pool", 1))
    one_of_two = looked_at(Seen(node(), waiting, holder("tpu-1")), waiting, supply=fixed)
    for found in (gone, one_of_two):
        assert (found.cause, found.patience_seconds, found.symptom) == ("node missing", 900, "")
    assert "node pool tpu7x-pool has 0 of its 1 nodes" in gone.evidence


@pytest.mark.parametrize(("ready", "patience"), [(True, 0), (False, 120)])
def test_a_node_that_is_not_ready_may_become_so(*, ready: bool, patience: float) -> None:
    waiting = unscheduled_pod()
    seen = Seen(node(), node("tpu-2", ready=ready), waiting, holder("tpu-1"), holder("tpu-2"))
    found = looked_at(seen, waiting, supply=Supply(Growth.NONE, "tpu7x-pool", 2))
    assert (found.cause, found.patience_seconds) == ("Unschedulable", patience)


@pytest.mark.parametrize("status", ["RUNNING", "RUNNING_WITH_ERROR"])
def test_a_pool_that_failed_is_not_expected_to_become_whole(status: str) -> None:
    assert whole({"status": status, "initialNodeCount": 2, "locations": ["a", "b"]}) == (
        4 if status == "RUNNING" else 0
    )


SICK = {
    "phase": "Failed",
    "reason": "UnexpectedAdmissionError",
    "message": "Allocate failed due to no healthy devices present; cannot allocate unhealthy devices",
}


def sick(*made: str) -> list[Object]:
    return [pod(f"vllm-tpu-1-{number}", made=at, **SICK) for number, at in enumerate(made)]


def test_pods_that_no_node_takes_are_told_while_one_follows_another() -> None:
    pods = sick("15:42:00", "15:42:01", "15:42:02")
    for newest in (pods[-1], pod("vllm-tpu-1-next", made="15:42:03")):
        found = looked_at(Seen(), *pods, newest)
        assert (found.cause, found.patience_seconds, found.pod) == ("Failed", 120, "")
        assert "the last of them vllm-tpu-1-2: UnexpectedAdmissionError: Allocate failed" in found.evidence
        assert "describe node tpu-1" in str(found.remedy)


@pytest.mark.parametrize(
    ("pods", "newest"),
    [
        (sick("15:42:00", "15:42:01"), pod(made="15:42:03")),
        (sick("15:12:00", "15:22:01", "15:42:02"), pod(made="15:42:03")),
        (sick("15:42:00", "15:42:01", "15:42:02"), pod(made="15:42:03", startTime="2026-11-23T15:42:03Z")),
        (sick("15:42:00", "15:42:01", "15:42:02"), pod(made="15:42:03", phase="Running", startTime="-")),
    ],
    ids=["not often", "long ago", "the next one starts", "the next one runs"],
)
def test_pods_that_failed_before_are_no_trouble(pods: list[Object], newest: Object) -> None:
    found = looked_at(Seen(), *pods, newest)
    assert (found.cause, found.patience_seconds, found.pod) == ("", None, "vllm-tpu-1-a")


def test_failed_pods_hide_neither_a_pod_without_a_node_nor_one_that_does_not_end() -> None:
    failed = sick("15:42:00", "15:42:01", "15:42:02")
    assert looked_at(Seen(), *failed, unscheduled_pod()).cause == "Unschedulable"
    ending = pod("vllm-tpu-0-a", phase="Running")
    ending["metadata"]["deletionTimestamp"] = "2026-11-23T15:42:00Z"
    assert looked_at(Seen(), failed[0], ending).cause == "Terminating"


def test_a_pod_that_failed_says_why() -> None:
    found = looked_at(Seen(), *sick("15:42:00"))
    assert found.condition == f"Pod vllm-tpu-1-0 Failed: {SICK['message']}"
