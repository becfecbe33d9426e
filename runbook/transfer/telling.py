"""How a transfer on another machine tells how it goes: JSON lines, read here into the same calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from runbook.engine import errors
from runbook.engine.errors import DefectError, Place, RunbookError
from runbook.transfer.session import StoredObject
from runbook.transfer.surroundings import Watcher


class Teller:
    """The far side: a watcher that writes lines.

    Args:
        stream: takes the lines; each is flushed.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        """Tell one file's progress."""
        with suppress(OSError):  # a full disk costs the telling, not the transfer
            self._tell("transferred", name=name, done=done, total=total, retries=retries)

    def warning(self, text: str) -> None:
        """Tell what the operator should know."""
        with suppress(OSError):  # as above
            self._tell("warning", text=text)

    def moved(self, path: str, made: StoredObject) -> None:
        """Tell that a file is an object now."""
        self._tell("moved", path=path, size=made.size, crc32c=made.crc32c, generation=made.generation)

    def failed(self, error: RunbookError) -> None:
        """Tell what ended the transfer."""
        place = str(error.place) if error.place else None
        kind = type(error).__name__
        self._tell("failed", kind=kind, message=error.message, place=place, remedy=error.remedy)

    def ended(self) -> None:
        """Tell that all is done."""
        self._tell("ended")

    def _tell(self, event: str, **fields: Any) -> None:
        with self._lock:
            print(json.dumps({"event": event, **fields}), file=self._stream, flush=True)


class Listener:
    """The near side: hands lines on to a watcher, and gathers what was moved.

    Args:
        watcher: is told progress and warnings.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.moved: dict[str, StoredObject] = {}
        self.ended = False

    def hear(self, line: str) -> None:
        """Take one line; what is no event of a transfer is passed over.

        Raises:
            RunbookError: the transfer failed, with the far side's cause, place and remedy.
        """
        try:
            told = json.loads(line)
        except ValueError:
            return
        if not isinstance(told, dict):
            return
        match told.pop("event", None):
            case "transferred":
                self._watcher.transferred(**told)
            case "warning":
                self._watcher.warning(told["text"])
            case "moved":
                path = told.pop("path")
                self.moved[path] = StoredObject(**told)
            case "failed":
                raise _error(told)
            case "ended":
                self.ended = True
            case _:
                pass


def _error(told: Mapping[str, Any]) -> RunbookError:
    kind = getattr(errors, str(told["kind"]), DefectError)
    if not (isinstance(kind, type) and issubclass(kind, RunbookError)) or kind is errors.MissingError:
        kind = DefectError
    if kind is DefectError:
        return DefectError(str(told["message"]), remedy=told["remedy"])
    place = Place(told["place"]) if told["place"] else None
    return kind(told["message"], place=place, remedy=told["remedy"])
