"""Who runs this: the name that locks and journals show."""

from __future__ import annotations

import getpass
import os


def login_name() -> str:
    """Name the user; in a container the number alone may be known."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
