"""docs/traps.md: a row for each trap, and for each row tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.conftest import ROOT

TEXT = (ROOT / "docs" / "traps.md").read_text()
ROW = re.compile(r'^\| <a id="(?P<anchor>\w+)"></a>(?P<number>[DB]\d+) \|(?P<cells>.*)\|$', re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROWS = {row["number"]: row for row in ROW.finditer(TEXT)}
GUIDE = [f"D{number}" for number in range(1, 38)]


@cache
def functions_in(path: str) -> frozenset[str]:
    """Name the test functions that pytest collects from a file; none where it collects nothing."""
    file = ROOT / path
    if not file.is_file() or not file.name.startswith("test_"):
        return frozenset()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    body = ast.parse(file.read_text()).body
    return frozenset(
        item.name for item in body if isinstance(item, functions) and item.name.startswith("test_")
    )


def test_each_of_the_guides_traps_has_one_row_and_so_has_each_that_was_found():
    numbers = [row["number"] for row in ROW.finditer(TEXT)]
    found = [f"B{number}" for number in range(1, len(numbers) - len(GUIDE) + 1)]
    assert numbers == [*GUIDE, *found]


@pytest.mark.parametrize("number", ROWS)
def test_a_row_says_all_there_is_to_say(number):
    row = ROWS[number]
    assert row["anchor"] == number.lower()
    cells = [cell.strip() for cell in row["cells"].split(" | ")]
    assert len(cells) == 4
    assert all(cells)


@pytest.mark.parametrize("number", ROWS)
def test_the_tests_of_a_row_are_there(number):
    named = NAMED.findall(ROWS[number]["cells"].split(" | ")[-1])
    assert named, f"{number} has no test"
    assert [f"{path}::{name}" for path, name in named if name not in functions_in(path)] == []


def test_no_line_of_the_tables_escapes_these_tests():
    lines = [line for line in TEXT.splitlines() if line.startswith("| <a")]
    assert len(lines) == len(ROWS)


def test_a_test_that_is_not_there_would_be_missed():
    assert "test_that_nobody_wrote" not in functions_in("tests/docs/test_every_trap_has_a_test.py")
    assert functions_in("tests/docs/test_nowhere.py") == frozenset()
