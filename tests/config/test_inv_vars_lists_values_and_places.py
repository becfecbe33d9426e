"""`inv vars [KEY]`: value, file and line, and what was overridden."""

from __future__ import annotations

import json

import pytest

from runbook.config.listing import as_lines, as_records, text
from runbook.engine.errors import VariableError


def test_all_variables_a_line_each(repository):
    repository.add("bench: {num_prompts: 10}\n")
    lines = as_lines(repository.load("bench.num_prompts=20"))
    line = next(line for line in lines if line.startswith("bench.num_prompts"))
    words = line.split()
    assert words[:4] == ["bench.num_prompts", "20", "--set", "bench.num_prompts,"]
    assert "overrode 10 (vars/envs/mine.yml:8), overrode null (vars/defaults.yml:" in line
    assert lines[0].startswith("provider ")


def test_one_variable_in_full(repository):
    repository.add("bench: {num_prompts: 10}\n")
    first, description, origin, overrode = as_lines(repository.load(), "bench.num_prompts")
    assert first == "bench.num_prompts = 10"
    assert description == "  requests in all; null: the workload's"
    assert origin == "  from vars/envs/mine.yml:8"
    assert overrode.startswith("  overrode null from vars/defaults.yml:")


def test_a_group(repository):
    lines = as_lines(repository.load(), "server.startup_probe")
    assert [line.split()[0] for line in lines] == [
        "server.startup_probe.period_s",
        "server.startup_probe.failures",
    ]


def test_a_variable_that_follows_another_says_which(repository):
    assert "  from vars/envs/mine.yml:3 (as region)" in as_lines(repository.load(), "bucket.location")


@pytest.mark.parametrize(("key", "close"), [("bench.inputlen", "bench.input_len"), ("clustr", "cluster?")])
def test_an_unknown_key_names_the_nearest(repository, key, close):
    with pytest.raises(VariableError) as caught:
        as_lines(repository.load(), key)
    assert f"unknown variable {key}" in caught.value.message
    assert close in caught.value.message


def test_records_for_scripts(repository):
    repository.add("bench: {num_prompts: 10}\n")
    (record,) = as_records(repository.load(), "bench.num_prompts")
    assert record["value"] == 10
    assert (record["source"], record["line"]) == ("vars/envs/mine.yml", 8)
    assert record["overrode"][0]["value"] is None
    assert {"key", "value", "source", "line", "same_as", "overrode"} == set(record)
    json.dumps(as_records(repository.load()))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (0.86, "0.86"),
        ("plain text", "plain text"),
        ("", '""'),
        ("true", '"true"'),
        ("4", '"4"'),
        ("64Gi", "64Gi"),
        ("2x2x1", "2x2x1"),
        (["a", 1], "[a, 1]"),
        ({"a": None}, "{a: null}"),
        ("two\nlines", '"two\\nlines"'),
    ],
)
def test_values_are_written_as_in_yaml(value, written):
    assert text(value) == written
