"""`python -m rehearsal up|down|status|serve [--home DIR]`: the stand-in as a background process."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from rehearsal import process


def main() -> int:
    """Run one command, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status", "serve"))
    parser.add_argument("--home", type=Path, default=_default_home(), help="the folder .rehearsal")
    parser.add_argument("--foreground", action="store_true", help="up: stay, and stop with Ctrl-C")
    options = parser.parse_args()
    home: Path = options.home.absolute()
    command = "serve" if options.command == "up" and options.foreground else options.command
    try:
        return _run(command, home)
    except process.StartError as error:
        print(error, file=sys.stderr)
        return 1


def _default_home() -> Path:
    return Path(os.environ.get("RUNBOOK_HOME") or process.ROOT) / ".rehearsal"


def _run(command: str, home: Path) -> int:
    if command == "serve":
        from rehearsal.server import serve

        return serve(home)
    if command == "status":
        print(json.dumps(process.endpoints(home) or {"pid": None}, indent=1))
        return 0
    process.up(home) if command == "up" else process.down(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
