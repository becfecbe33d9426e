"""The model waits for the grant and the credentials only where Pods of the cluster move it."""

from __future__ import annotations

import json

import pytest

IN_CLUSTER = ("--set", "transfer.where=cluster", "--set", "bucket.role=roles/storage.objectUser")


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        (["setup"], ["3.2.2"]),
        pytest.param(["setup", *IN_CLUSTER], ["3.2.2", "3.3"], marks=pytest.mark.slow),
        (["setup", "deploy", *IN_CLUSTER], ["3.2.2", "3.3", "4.1"]),
        (["setup", "deploy", "--set", "transfer.where=ssh", "--set", "transfer.ssh.host=mover"], ["3.2.2"]),
    ],
)
def test_what_the_move_of_the_model_waits_for(operator, words, needs):
    ended = operator.inv(*words, "--check", "--json")
    events = [json.loads(line) for line in ended.out.splitlines()]
    started = [event["step"] for event in events if event["event"] == "step_started"]
    assert [step["needs"] for step in started if step["section"] == "3.2.3"] == [needs], ended.error
