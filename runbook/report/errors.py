"""An error as the operator reads it: one cause, one place, one remedy."""

from __future__ import annotations

import json
import sys

from runbook.engine.errors import RunbookError
from runbook.engine.records import error_record


def error_lines(error: RunbookError) -> list[str]:
    """Say what is wrong, where, and what to do."""
    lines = [f"error: {error.message}"]
    if error.place:
        lines.append(f"at:    {error.place}")
    if error.remedy:
        lines.append(f"fix:   {error.remedy}")
    return lines


def print_error(error: RunbookError, as_json: bool) -> None:
    """Show an error that ended the line before or outside of its steps.

    Args:
        error: what happened.
        as_json: one object on stdout instead of lines on stderr.
    """
    if as_json:
        print(json.dumps({"event": "error", "error": error_record(error)}), flush=True)
    else:
        print("\n".join(error_lines(error)), file=sys.stderr, flush=True)
