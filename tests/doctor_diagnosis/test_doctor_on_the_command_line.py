"""The doctor as an operator meets it: `inv rehearsal.scenario`, `inv doctor`, and the steps that fail."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import Operator, new_operator

SYMPTOM = re.compile(r"s\d\d-")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Somebody with one cloud for all tests of this file: each scenario starts from nothing."""
    yield from new_operator(tmp_path_factory.mktemp("home"))


def symptoms(operator: Operator, code: int) -> dict[str, dict[str, Any]]:
    """What `inv doctor --json` names."""
    ended = operator.inv("doctor", "--json")
    assert ended.code == code, ended.out + ended.error
    found = [json.loads(line) for line in ended.out.splitlines()]
    return {finding["topic"]: finding for finding in found if SYMPTOM.match(finding["topic"])}


@pytest.mark.parametrize(
    "scenario",
    [
        "s04-bucket-permission-denied",
        "s16-chips-held",
        pytest.param("s28-out-of-hbm", marks=pytest.mark.slow),
        pytest.param("s32-permission-missing", marks=pytest.mark.slow),
    ],
)
def test_a_scenario_is_named(operator: Operator, scenario: str) -> None:
    assert operator.inv("rehearsal.scenario", scenario).code == 0
    [(topic, finding)] = symptoms(operator, code=1).items()
    assert topic == scenario
    assert finding["verdict"] == "failed"
    assert finding["fact"]
    assert finding["remedy"]
    assert finding["evidence"]


def test_a_server_that_answers_has_no_symptom(operator: Operator) -> None:
    assert operator.inv("rehearsal.scenario", "serving").code == 0
    assert symptoms(operator, code=0) == {}


@pytest.mark.parametrize(
    ("scenario", "step", "words"),
    [
        ("s20-topology-refused", "2.4", "TPU topology can't be specified with single-host TPU slice pool"),
        pytest.param(
            "s23-reservation-short", "2.4", "required 1 and short of 1 VM count", marks=pytest.mark.slow
        ),
        pytest.param("s24-stockout", "2.4", "GCE_STOCKOUT", marks=pytest.mark.slow),
        ("s32-permission-missing", "2.2", 'requires one of ["container.clusters.get"] permission(s)'),
    ],
)
def test_the_step_that_fails_says_it_and_the_doctor_names_it(
    operator: Operator, scenario: str, step: str, words: str
) -> None:
    operator.inv("rehearsal.scenario", scenario)
    ended = operator.inv("setup")
    assert ended.code == 1
    assert ended.status(step) == "failed"
    assert words in ended.out
    [(topic, finding)] = symptoms(operator, code=1).items()
    assert topic == scenario
    assert any(evidence.startswith(f"step {step} of run ") for evidence in finding["evidence"])


@pytest.mark.parametrize(
    "scenario", [pytest.param("s20-topology-refused", marks=pytest.mark.slow), "s22-too-many-operations"]
)
def test_what_passes_is_no_symptom_any_more(operator: Operator, scenario: str) -> None:
    operator.inv("rehearsal.scenario", scenario)
    operator.inv("setup")
    assert operator.inv("setup").code == 0
    assert symptoms(operator, code=0) == {}


@pytest.mark.slow
def test_a_missing_plug_in_is_a_warning_until_the_kubeconfig_is_written_anew(operator: Operator) -> None:
    operator.inv("rehearsal.scenario", "s33-auth-plugin-missing")
    assert list(symptoms(operator, code=0)) == ["s33-auth-plugin-missing"]
    assert operator.inv("step", "4.1").code == 0
    assert symptoms(operator, code=0) == {}
