"""What a look at objects concludes: that something does not pass, how long it may last, or nothing."""

from __future__ import annotations

import pytest

from runbook.clients.kube.objects import Object
from runbook.engine.errors import CredentialsError, PassingError, RunbookError
from runbook.steps.kube.diagnosis import diagnose_pods
from runbook.steps.kube.supply import Supply
from runbook.steps.kube.trouble import Diagnosis
from tests.steps_kube.seen import Seen, pod, waits


def looked_at(seen: Seen, *pods: Object) -> Diagnosis:
    found = diagnose_pods(seen, pods, supply=Supply())
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
