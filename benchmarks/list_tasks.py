"""How long `inv --list` takes here, beside a tasks.py with one trivial task."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Contender, compare

ROOT = Path(__file__).parents[1]
TRIVIAL = "from invoke import task\n\n\n@task\ndef hello(c):\n    pass\n"
LIST = (sys.executable, "-m", "invoke", "--list")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tasks.py").write_text(TRIVIAL)
        contenders = [
            Contender("a trivial tasks.py", LIST, Path(folder), os.environ),
            Contender("this project", LIST, ROOT, os.environ),
        ]
        print(compare(contenders, rounds=15))


if __name__ == "__main__":
    main()
