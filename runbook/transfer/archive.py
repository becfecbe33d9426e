"""This package as one file that any Python 3.11 or newer can run: what is sent to another machine."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BESIDE = ("runbook/__init__.py", "runbook/engine/__init__.py", "runbook/engine/errors.py")
"""What the package needs of the project besides itself."""
MAIN = "import sys\nfrom runbook.transfer.__main__ import main\nsys.exit(main(*sys.argv[1:]))\n"
THEN = (2020, 1, 1, 0, 0, 0)


def archive() -> bytes:
    """Make the file; the same sources give the same bytes."""
    content = io.BytesIO()
    own = sorted(path.relative_to(ROOT).as_posix() for path in Path(__file__).parent.glob("*.py"))
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in (*BESIDE, *own):
            packed.writestr(zipfile.ZipInfo(name, THEN), (ROOT / name).read_bytes())
        packed.writestr(zipfile.ZipInfo("__main__.py", THEN), MAIN)
    return content.getvalue()
