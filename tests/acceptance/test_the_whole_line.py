from __future__ import annotations

import json
import os

import pytest

from tests.acceptance.conftest import sections

LINE = ("setup", "deploy", "smoke", "bench")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The whole line on an empty cloud."""
    from tests.acceptance.conftest import new_operator

    for operator in new_operator(tmp_path_factory.mktemp("home")):
        yield operator, operator.inv(*LINE)


def test_it_ends_well_with_a_line_for_each_section(first):
    _, ended = first
    assert ended.code == 0, ended.out + ended.error
    assert ended.recap["failed"] == 0
    printed = [line.split(" ")[0] for line in ended.out.splitlines()]
    assert [section for section in sections(LINE) if section not in printed] == []


def test_it_shows_the_completion_and_a_result_marked_as_a_rehearsals(first):
    _, ended = first
    assert "San Francisco is a" in ended.out
    assert "============ Serving Benchmark Result ============" in ended.out
    marked = [line for line in ended.out.splitlines() if "rehearsal" in line.casefold() and "TPU" in line]
    assert marked, ended.out


def test_again_nothing_changes_and_nothing_is_written(first):
    operator, _ = first
    operator.forget_requests()
    ended = operator.inv("setup", "deploy")
    assert (ended.code, ended.recap["changed"]) == (0, 0), ended.out
    assert len(operator.requests()) <= 15
    assert {request["method"] for request in operator.requests()} == {"GET"}


def test_again_a_check_finds_nothing_pending(first):
    operator, _ = first
    ended = operator.inv("setup", "deploy", "--check")
    assert (ended.code, ended.recap["changed"]) == (0, 0), ended.out


def test_on_an_empty_cloud_a_check_plans_everything_and_writes_nothing(operator):
    ended = operator.inv(*LINE, "--check", "--diff")
    assert ended.code == 2, ended.out + ended.error
    assert "unknown until" in ended.out
    assert operator.writes() == []
    for command in (
        "gcloud container clusters create",
        "gcloud container node-pools create",
        "gcloud storage buckets create",
        "gcloud storage buckets add-iam-policy-binding",
        "hf download",
        "kubectl apply",
    ):
        assert f"$ {command}" in ended.out


def test_json_is_one_object_a_line_and_nothing_else(operator):
    import json

    ended = operator.inv(*LINE, "--check", "--json")
    kinds = [json.loads(line)["event"] for line in ended.out.splitlines()]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_ended"
    assert ended.error == ""


def test_after_an_update_of_the_code_the_stand_in_is_started_again_and_forgets_nothing(first):
    operator, _ = first
    endpoints = operator.home / ".rehearsal" / "endpoints.json"
    os.utime(endpoints, (0, 0))  # it came up before the code that is there now was written
    before = json.loads(endpoints.read_text())["pid"]
    ended = operator.inv("deploy", "smoke")
    assert ended.code == 0, ended.out + ended.error
    assert "the rehearsal still ran code of before" in ended.out + ended.error
    assert ended.recap["changed"] == 0
    assert json.loads(endpoints.read_text())["pid"] != before


def test_cleanup_leaves_nothing_of_deploy_and_bench(first):
    operator, _ = first
    ended = operator.inv("cleanup")
    assert ended.code == 0, ended.out + ended.error
    again = operator.inv("cleanup")
    assert again.recap["changed"] == 0
    kept = operator.inv("setup", "--check")
    assert kept.code == 0, kept.out
