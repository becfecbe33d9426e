"""`inv vars`: what is set, where, and what it overrode."""

from __future__ import annotations

import json

from runbook.cli.catalogue import load_variables
from runbook.cli.line import Line


def show(line: Line, key: str) -> None:
    """Print the variables, or those below one key.

    Args:
        line: its environment and settings count.
        key: a key or the beginning of keys, such as `cluster`; empty means all.
    """
    from runbook.config import listing

    loaded = load_variables(line)
    if line.options.json:
        for record in listing.as_records(loaded, key):
            print(json.dumps(record))
    else:
        print("\n".join(listing.as_lines(loaded, key)))
