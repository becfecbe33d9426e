from __future__ import annotations

import pytest


def test_the_second_run_is_told_who_holds_the_lock(operator):
    operator.inv("rehearsal.up")
    slow = ("--set", "rehearsal.time_scale=0.01")
    with operator.start("setup", *slow) as first:
        while "took" not in (line := next(iter(first.stdout))) and not line.startswith("RUN"):
            pass
        second = operator.inv("setup", *slow)
        out, error = first.communicate(timeout=120)
    assert first.returncode == 0, out + error
    assert second.code == 1
    assert f"pid {first.pid}" in second.error
    assert "lock" in second.error


@pytest.mark.slow
def test_the_second_run_may_wait(operator):
    operator.inv("rehearsal.up")
    slow = ("--set", "rehearsal.time_scale=0.01")
    with operator.start("setup", *slow) as first:
        assert next(iter(first.stdout)).startswith("RUN")
        second = operator.inv("setup", *slow, "--set", "run.lock_timeout_s=120")
        first.communicate(timeout=120)
    assert second.code == 0, second.out + second.error
    assert second.recap["changed"] == 0
