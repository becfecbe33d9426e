"""How a step that takes long tells what it is doing. The observers of a run decide how that is shown."""

from __future__ import annotations

from typing import Protocol


class StepReport(Protocol):
    """A running step's voice."""

    def condition(self, text: str) -> None:
        """Tell the last observed condition of a wait, such as `operation-1 RUNNING`."""
        ...

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        """Tell a transfer's progress.

        Args:
            name: the file.
            done: bytes that have arrived so far.
            total: bytes in all.
            retries: how often it was taken up again after a trouble.
        """
        ...

    def output(self, text: str) -> None:
        """Show lines that are the step's product, such as a completion or a result block."""
        ...

    def warning(self, text: str) -> None:
        """Tell what the operator should know though nothing failed."""
        ...
