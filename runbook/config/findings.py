"""What the checks of variables found: errors and warnings, each with the line that it is about."""

from __future__ import annotations

from dataclasses import dataclass, field

from runbook.config.keys import undotted
from runbook.config.problems import Problem
from runbook.config.provenance import Origins
from runbook.engine.errors import Place


@dataclass
class Findings:
    """What the checks found.

    Args:
        origins: to find the line of a variable.
        file: the environment's file, for what is set nowhere.
    """

    origins: Origins
    file: Place
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, key: str, message: str, remedy: str | None = None) -> None:
        """Note what must not be."""
        self.errors.append(Problem(f"{key} {message}", self._place(key), remedy))

    def warning(self, key: str, message: str, remedy: str | None = None) -> None:
        """Note what is allowed but probably not meant."""
        self.warnings.append(Problem(f"{key} {message}", self._place(key), remedy))

    def _place(self, key: str) -> Place:
        said = self.origins.history(undotted(key))
        unset = not said or (len(said) == 1 and said[0].value in ("", None))
        return self.file if unset else said[0].place
