"""What a transfer needs besides Python, in an environment of its own.

`python -m runbook.transfer.own_python FOLDER PACKAGE` makes it. It appears whole: where two
make it at the same time, the first one's is kept.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

INSTALL = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
MOST_TOLD = 400


def make(folder: Path, package: str) -> str:
    """Make it; give what was said where that failed, nothing where it is there now.

    Args:
        folder: of the environment.
        package: such as google-crc32c==1.9.0.
    """
    making = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        steps = (
            [sys.executable, "-m", "venv", str(making)],
            [str(making / "bin" / "python"), *INSTALL, package],
        )
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                return (done.stderr + done.stdout).strip()[-MOST_TOLD:] or f"exit code {done.returncode}"
        with suppress(OSError):  # somebody else's is there
            making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return ""


if __name__ == "__main__":
    sys.exit(make(Path(sys.argv[1]), sys.argv[2]) or None)
