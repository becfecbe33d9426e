"""The shell that only writes down what it would run is itself to be trusted."""

from __future__ import annotations

BOTH_SIDES = [["kubectl", "apply", "-f", "-"], ["kubectl", "create", "secret", "generic", "key"]]


def test_both_sides_of_a_pipe_are_written_apart(writing_shell):
    pipe = "kubectl create secret generic key | kubectl apply -f -"
    for _ in range(100):
        assert sorted(writing_shell.argvs(pipe)) == BOTH_SIDES
