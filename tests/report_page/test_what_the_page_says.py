"""`inv report`: which figures stand beside which, what is kept of a run for it, and where it is written."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from runbook.measurement.document import Finding
from tests.report_page.conftest import KEY, Reported
from tests.report_page.documents import Told, measured


def page_with(reported: Reported, told: Told) -> str:
    """Report the second run with another benchmark, as text without tags."""
    measured(reported.folder, told)
    page = reported.operator.home / "other.html"
    try:
        ended = reported.operator.inv("report", reported.second, "--to", str(page))
        assert ended.code == 0, ended.error
    finally:
        measured(reported.folder, Told(output_throughput=7200.0))
    body = page.read_text().partition("<main>")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_a_figure_stands_beside_the_last_comparable_runs(reported: Reported) -> None:
    text = page_with(reported, Told(output_throughput=7220.0))
    assert "Output throughput 7,220 tokens/s \N{MINUS SIGN}5.0 % worse" in text
    assert "Median time to first token 121.9 ms +5.3 % worse" in text
    assert f"Compared with {reported.first}" in text


@pytest.mark.slow
def test_more_is_better_where_it_is_throughput(reported: Reported) -> None:
    assert "Output throughput 8,360 tokens/s +10.0 % better" in page_with(reported, Told(8360.0))


@pytest.mark.slow
@pytest.mark.parametrize("other", [{"fingerprint": {"num_prompts": 25}}, {"rehearsal": False}])
def test_another_configuration_is_not_compared(reported: Reported, other: dict[str, object]) -> None:
    text = page_with(reported, Told(**other))  # type: ignore[arg-type]
    assert "nothing to compare with" in text
    assert "worse" not in text.partition("Throughput")[0]


@pytest.mark.slow
def test_another_image_of_the_server_is_compared_and_named(reported: Reported) -> None:
    text = page_with(reported, Told(7220.0, fingerprint={"server_image": "vllm/vllm-tpu:next"}))
    assert f"Compared with {reported.first}" in text
    assert "The server differs: server_image: vllm/vllm-tpu:nightly -> vllm/vllm-tpu:next ." in text


def test_a_bad_verdict_comes_first_with_its_evidence_and_remedy(reported: Reported) -> None:
    finding = Finding(name="truncated", evidence="24,760 of 36,000 tokens", remedy="look at the server's log")
    text = page_with(reported, Told(verdict="truncated", finding=finding))
    begin = text.partition("Figures REHEARSAL")[0]
    assert "Benchmark truncated answers were cut short" in begin
    assert "24,760 of 36,000 tokens" in begin
    assert "Fix: look at the server's log" in begin


def test_what_was_served_and_where_each_value_came_from_is_kept(reported: Reported) -> None:
    kept = {record["key"]: record for record in json.loads((reported.folder / "variables.json").read_text())}
    assert kept["server.flags.max-num-seqs"]["source"] == "vars/models/gpt-oss-tiny.yml"
    assert kept["smoke.prompt"]["source"] == "--set smoke.prompt"
    assert "kind: Deployment" in (reported.folder / "manifests" / "vllm-tpu.yaml").read_text()
    assert "kind: Job" in (reported.folder / "manifests" / "vllm-benchmark.yaml").read_text()
    page = reported.page.read_text()
    assert "vars/models/gpt-oss-tiny.yml" in page
    assert "kind: Deployment" in page


def test_no_secret_is_kept_and_others_may_not_read_the_rest(reported: Reported) -> None:
    kept = [path for path in reported.folder.rglob("*") if path.is_file()]
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []
    records = json.loads((reported.folder / "variables.json").read_text())
    assert [record["value"] for record in records if record["key"] == "server.api_key"] == ["***"]
    mine = [reported.page, reported.folder / "variables.json", *(reported.folder / "manifests").iterdir()]
    assert {oct(path.stat().st_mode & 0o777) for path in mine} == {"0o600"}
    assert oct((reported.folder / "manifests").stat().st_mode & 0o777) == "0o700"


def test_a_plan_keeps_its_variables_and_applies_nothing(reported: Reported) -> None:
    assert reported.operator.inv("deploy", "--check").code == 2
    run = reported.operator.json_lines("history", "--json")[0]["run_id"]
    folder = reported.operator.home / ".runs" / run
    assert (folder / "variables.json").exists()
    assert not (folder / "manifests").exists()


def test_the_page_goes_where_it_is_wanted(reported: Reported, tmp_path: Path) -> None:
    (told,) = reported.operator.json_lines("report", reported.second, "--to", str(tmp_path / "new"), "--json")
    assert told["page"] == str(tmp_path / "new" / "report.html")
    assert sorted(told["charts"]) == sorted(str(path) for path in (tmp_path / "new" / "charts").iterdir())
    (told,) = reported.operator.json_lines("report", "--to", str(tmp_path / "a.html"), "--json")
    assert told["page"] == str(tmp_path / "a.html")
    assert {Path(path).parent.name for path in told["charts"]} == {"a-charts"}


@pytest.mark.slow
def test_what_an_older_version_kept_is_named_and_not_shown(reported: Reported) -> None:
    old = reported.folder / "bench-2.json"
    old.write_text('{"completed": 24, "verdict": "ok"}')
    try:
        text = page_with(reported, Told())
    finally:
        old.unlink()
    assert "is no benchmark's document of schema 2" in text
