"""The benchmarks that a line may compare with: those kept here, and those of the bucket where asked for."""

from __future__ import annotations

from contextlib import closing

from runbook.cli.line import Line
from runbook.config.schema import Variables
from runbook.measurement.kept import Kept, read_kept


def kept_benchmarks(line: Line, variables: Variables) -> Kept:
    """Read them.

    Args:
        line: whose .runs/ is read.
        variables: where bench.history is `bucket`, that is read as well.

    Raises:
        RunbookError: the bucket cannot be read.
    """
    if variables.bench.history == "local":
        return read_kept(line.runs)
    from runbook.clients.connections import Connections
    from runbook.steps.bench.sharing import fetch

    shared = line.runs / line.options.environment / "benchmarks"
    with closing(Connections(variables, line.home)) as connections:
        fetch(connections.storage, variables.bucket.name, shared)
    return read_kept(line.runs, shared)
