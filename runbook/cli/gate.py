"""`inv test`: everything that a change must pass."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from runbook.cli.line import Line

PARALLEL: Sequence[str] = ("--quiet", "--numprocesses", "2", "--dist", "loadfile")
QUICK: Sequence[tuple[str, Sequence[str]]] = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("layers", ("lint-imports",)),
    ("tests", ("pytest", *PARALLEL, "-m", "not slow and not real_vllm")),
)
SLOW: Sequence[tuple[str, Sequence[str]]] = (("slow tests", ("pytest", *PARALLEL, "-m", "slow")),)


def check(line: Line, slow: bool) -> int:
    """Run every check; go on after a failure, so that one run tells all.

    Args:
        line: its root is checked.
        slow: run the suites that take minutes instead of the rest.

    Returns:
        0 if all passed, else 1.
    """
    failed = [
        name for name, arguments in (SLOW if slow else QUICK) if not _passes(line.root, name, arguments)
    ]
    print(f"test: {'failed: ' + ', '.join(failed) if failed else 'all passed'}")
    return 1 if failed else 0


def _passes(root: Path, name: str, arguments: Sequence[str]) -> bool:
    print(f"== {name}", flush=True)
    started = time.monotonic()
    program, *rest = arguments
    script = Path(sys.executable).parent / program
    code = subprocess.run([str(script), *rest], cwd=root, env=_environment(root), check=False).returncode
    print(
        f"== {name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True
    )
    return code == 0


def _environment(root: Path) -> dict[str, str]:
    """Hide a user's variables from the checks, and let Python keep what it compiles for the runs to come."""
    hidden = ("RUNBOOK_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    tests = {name: value for name, value in os.environ.items() if name.startswith("RUNBOOK_TEST_")}
    return kept | tests | {"PYTHONPATH": str(root)}
