from __future__ import annotations

import pytest

from tests.acceptance.conftest import new_operator


@pytest.fixture
def bucket(converged):
    return converged.exports()["BUCKET"]


def test_without_a_terminal_and_without_yes_nothing_is_lost(converged):
    ended = converged.inv("teardown")
    assert ended.code == 1
    assert "--yes" in ended.out
    assert converged.inv("step", "2.2", "--check").code == 0


def test_yes_confirms_each_loss_and_what_still_costs_is_named(converged, bucket):
    ended = converged.inv("teardown", "--yes")
    assert ended.code == 0, ended.out + ended.error
    assert ended.status("6.2") == "changed"
    assert ended.status("6.3") == "changed"
    assert bucket in ended.out.split("6.6")[1]
    status = converged.json_lines("rehearsal.status", "--json")[0]
    assert status["clusters"] == []
    assert status["buckets"] == [bucket]


@pytest.mark.slow
def test_the_bucket_goes_only_when_it_is_named(tmp_path_factory):
    for operator in new_operator(tmp_path_factory.mktemp("home")):
        assert operator.inv("step", "3.1").code == 0
        bucket = operator.exports()["BUCKET"]
        wrong = operator.inv("teardown", "--yes", "--set", "teardown.bucket=another-bucket")
        assert wrong.code == 1
        ended = operator.inv("teardown", "--yes", "--set", f"teardown.bucket={bucket}")
        assert ended.code == 0, ended.out + ended.error
        assert operator.json_lines("rehearsal.status", "--json")[0]["buckets"] == []


@pytest.mark.slow
def test_a_cluster_that_could_not_be_made_is_deleted_all_the_same(operator):
    failing = ("--api", "container", "--method", "POST", "--path", r"/clusters(\?|$)")
    operator.inv("rehearsal.fault", *failing, "--kind", "operation_error", "--message", "no quota")
    assert operator.inv("setup").code == 1
    ended = operator.inv("teardown", "--yes")
    assert ended.code == 0, ended.out + ended.error
    assert operator.json_lines("rehearsal.status", "--json")[0]["clusters"] == []
    assert operator.inv("setup").code == 0
