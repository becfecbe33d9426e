"""`inv step N` alone, for each section: ok, changed, or an error naming the step that supplies what lacks."""

from __future__ import annotations

import re

import pytest

from tests.acceptance.conftest import new_operator, sections

ALL = sections(("setup", "deploy", "smoke", "bench", "cleanup"))
ORDER_ON_CONVERGED = [section for section in ALL if section != "5.3"]


def ends_well_or_names_the_supplier(ended, section):
    """The step's status is one of three, and a failure says which step supplies what is missing."""
    assert "Traceback" not in ended.out + ended.error
    if ended.code == 0:
        return
    assert ended.recap["failed"] == 1, ended.out
    assert re.search(r"fix: .*inv step [\d.]+", ended.out), ended.out
    assert f"inv step {section}\n" not in ended.out


@pytest.fixture
def empty(tmp_path_factory):
    yield from new_operator(tmp_path_factory.mktemp("empty"))


@pytest.mark.slow
@pytest.mark.parametrize("section", ALL)
def test_on_an_empty_cloud(empty, section):
    for _ in range(2):
        ends_well_or_names_the_supplier(empty.inv("step", section), section)


@pytest.mark.slow
@pytest.mark.parametrize("section", ORDER_ON_CONVERGED)
def test_on_a_converged_cloud(converged, section):
    for _ in range(2):
        ended = converged.inv("step", section)
        assert ended.code == 0, ended.out + ended.error
        ends_well_or_names_the_supplier(ended, section)


def test_several_at_once_by_name_or_section(converged):
    ended = converged.inv("step", "2.2,tpu node pool")
    assert ended.code == 0, ended.out
    assert ended.recap["ok"] == 2


def test_cleaning_up_alone(converged):
    assert converged.inv("step", "5.3").recap["changed"] == 1
    assert converged.inv("step", "5.3").recap["changed"] == 0
    assert converged.inv("deploy").code == 0
