from __future__ import annotations

import subprocess
import sys

import pytest

from tests.acceptance.conftest import ROOT

HEAVY = (
    "kubernetes",
    "google",
    "gcsfs",
    "fabric",
    "jinja2",
    "ruamel",
    "pydantic",
    "rich",
    "requests",
    "aiohttp",
)


@pytest.mark.parametrize(
    "words", [["--list"], ["setup", "--help"], ["--help"], ["rehearsal.fault", "--help"]]
)
def test_help_imports_no_sdk(words):
    program = (
        "import sys\n"
        "from invoke.main import program\n"
        "try:\n"
        f"    program.run(['inv', *{words!r}])\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('IMPORTED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = done.stdout.rpartition("IMPORTED")[2].split()
    assert "invoke" in imported
    assert [name for name in HEAVY if name in imported] == []


@pytest.mark.parametrize("words", [["--list"], ["bench", "--help"]])
def test_a_reader_that_goes_away_is_no_error(words):
    with subprocess.Popen(
        [sys.executable, "-m", "invoke", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as listing:
        listing.stdout.close()
        assert listing.stderr.read() == ""
