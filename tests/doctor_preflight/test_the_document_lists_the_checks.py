"""docs/doctor.md has every check of the table, and no other."""

from __future__ import annotations

import re

from runbook.doctor.preflight.table import CHECKS
from tests.doctor_preflight.patient import ROOT

ROW = re.compile(r"^\| (P\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_the_table_is_the_checks_in_their_order():
    rows = ROW.findall((ROOT / "docs" / "doctor.md").read_text())
    assert [row[:2] for row in rows] == [(check.number, check.title) for check in CHECKS]


def test_each_check_says_when_it_is_not_in_order():
    rows = ROW.findall((ROOT / "docs" / "doctor.md").read_text())
    assert [row[0] for row in rows if "failed:" not in row[3]] == []


def test_each_check_has_examples():
    texts = "".join(path.read_text() for path in (ROOT / "tests" / "doctor_preflight").glob("test_*.py"))
    assert [
        check.number for check in CHECKS if f'"{check.number}"' not in texts and check.number != "P15"
    ] == []
    assert "P15" in texts


def test_checks_wait_for_earlier_ones_only():
    seen: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= seen
        seen.add(check.number)
