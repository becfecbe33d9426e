"""What can go wrong, as one tree. An error is one cause, one place and one remedy.

    RunbookError
    ├── UserError             the user can fix it; nothing is retried
    │   ├── VariableError     a variable, its file or the command line
    │   ├── PlaybookError     a playbook or a step's arguments
    │   ├── ManifestError     a manifest template, or what it renders to
    │   ├── CredentialsError  no login, an expired one, or one that may not do this
    │   ├── MissingError      something that another step supplies is not there
    │   ├── CapacityError     no quota, no stock, or a reservation that is too small
    │   ├── ConflictError     somebody else owns or holds what is to be changed
    │   └── RefusedError      the service, or the operator, said no
    ├── PassingError          may pass by itself; retried until its deadline
    ├── FailedError           it was tried and did not work; the evidence is in the message
    ├── InterruptedRunError   the operator ended the run
    └── DefectError           a bug of ours; its traceback is kept in the run's journal
        └── NotConvergedError a step still sees a difference after its own change

`UnknownUntil` is not a failure: check mode met a value that only a change would bring into being.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where the cause stands: a line of a file, or a request.

    Args:
        source: a path, an environment variable, `--set`, or a request such as `GET https://...`.
        line: counted from 1; None where the source has no lines.
    """

    source: str
    line: int | None = None

    @classmethod
    def in_file(cls, path: Path, line: int | None = None) -> Place:
        """Point at a line of a file, by its path from the working folder where that is shorter."""
        absolute = path.absolute()
        folder = Path.cwd()
        return cls(str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute), line)

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


class RunbookError(Exception):
    """An error that is told to the operator as cause, place and remedy, never as a traceback.

    Args:
        message: the cause, one sentence, without a full stop.
        place: where it stands.
        remedy: what the operator should do, one sentence or a command.
    """

    def __init__(self, message: str, *, place: Place | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy


class UserError(RunbookError):
    """The user can fix it."""


class VariableError(UserError, ValueError):
    """A variable, its file or the command line is wrong."""


class PlaybookError(UserError):
    """A playbook, or the arguments of one of its steps, is wrong."""


class ManifestError(UserError):
    """A manifest template, or what it renders to, is wrong."""


class CredentialsError(UserError, PermissionError):
    """No login, an expired one, or one that may not do this."""


class MissingError(UserError, LookupError):
    """Something that another step supplies is not there.

    Args:
        message: what is missing, by name.
        supplied_by: the step module that makes it, such as `gke.cluster`; the runner names its section.
    """

    def __init__(
        self, message: str, *, supplied_by: str, place: Place | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.supplied_by = supplied_by


class CapacityError(UserError):
    """No quota, no stock, or a reservation that is too small."""


class ConflictError(UserError):
    """Somebody else owns or holds what is to be changed."""


class RefusedError(UserError):
    """The service, or the operator who was asked, said no."""


class PassingError(RunbookError):
    """May pass by itself: a busy service, a reset connection.

    Args:
        retry_after: seconds that the service asked for; None where it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        remedy: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, place=place, remedy=remedy)
        self.retry_after = retry_after


class FailedError(RunbookError):
    """It was tried and did not work; the message holds the evidence."""


class InterruptedRunError(RunbookError):
    """The operator ended the run; the same line goes on from what is there."""


class DefectError(RunbookError):
    """A bug of ours.

    Args:
        message: what went wrong, one sentence.
        trace: the traceback; it is kept in the journal, not shown.
    """

    def __init__(self, message: str, *, trace: str = "", remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.trace = trace


class NotConvergedError(DefectError):
    """A step that still sees a difference after its own change: a defect of the step."""


class UnknownUntil(Exception):  # noqa: N818 - a signal of check mode, not an error
    """Check mode met a value that is known only after another step has made its change.

    Args:
        step: the section of that step, or its step module, of which the runner names the section.
    """

    def __init__(self, step: str) -> None:
        super().__init__(f"unknown until {step}")
        self.step = step
