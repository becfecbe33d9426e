"""What a line's steps, and the doctor, have at hand: one Context for each of them, over the same clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from runbook.clients.connections import Connections
from runbook.engine.facts import Facts
from runbook.engine.interruption import Interruption
from runbook.steps.context import Context

if TYPE_CHECKING:
    from runbook.cli.line import Line
    from runbook.config.load import Loaded
    from runbook.engine.report import StepReport


@contextmanager
def contexts(
    line: Line,
    loaded: Loaded,
    run_id: str,
    *,
    check: bool,
    facts: Facts,
    interruption: Interruption,
) -> Iterator[Callable[[StepReport], Context]]:
    """Open the clients of a line; give what makes a Context for each voice. All is closed at the end.

    Args:
        line: whose folders and environment it is.
        loaded: its variables.
        run_id: its name.
        check: whether nothing may be changed.
        facts: the reads that are shared.
        interruption: ends waits.
    """
    with ExitStack() as opened:
        connections = Connections(loaded.variables, line.home)
        opened.callback(connections.close)
        kept = opened.enter_context(ExitStack())

        def make(report: StepReport) -> Context:
            return Context(
                environment=line.options.environment,
                variables=loaded.variables,
                tree=loaded.tree,
                root=line.root,
                home=line.home,
                run_id=run_id,
                check=check,
                facts=facts,
                connections=connections,
                report=report,
                keep=kept.enter_context,
                pause=interruption.pause,
            )

        yield make
