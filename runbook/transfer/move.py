"""One file on its way: what comes from the hub is hashed and sent on, and goes on where it broke off.

The last bytes, 256 KiB at most, are held back until the hash of all is the hub's. So an object is either
right or not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from runbook.engine.errors import ConflictError, FailedError, PassingError, Place, RunbookError
from runbook.transfer.checksums import Checksums
from runbook.transfer.files import Delivery
from runbook.transfer.journal import Checkpoint
from runbook.transfer.patience import MOST_FAILURES, seconds_after
from runbook.transfer.session import GRANULE, PreconditionFailed, SessionGone, StoredObject, UploadSession
from runbook.transfer.source import Source
from runbook.transfer.surroundings import Interrupted, Surroundings

CHECKPOINT_BYTES = 1 << 20
TOLD_S = 0.25

T = TypeVar("T")


class Move:
    """One file's way. `prepare` brings all bytes but the last ones; `commit` makes the object.

    Args:
        surroundings: what it shares with the others.
        delivery: the file.
    """

    def __init__(self, surroundings: Surroundings, delivery: Delivery) -> None:
        self._around = surroundings
        self._delivery = delivery
        self._file = delivery.file
        self._place = Place(f"gs://{surroundings.consignment.bucket}/{delivery.name}")
        self._source = Source(surroundings.consignment)
        self._session: UploadSession | None = None
        self._checksums = Checksums(self._file)
        self._doubted = False
        self._tail = bytearray()
        self._tail_start = 0
        self._prepared = False
        self._made: StoredObject | None = None
        self._retries = 0
        self._kept_at = 0
        self._told_at = 0.0
        self._take_up()

    def announce(self) -> None:
        """Tell how many bytes there are to come, and how many have come already."""
        self._tell(always=True)

    def prepare(self) -> None:
        """Bring all bytes but the last ones, and see that all are right.

        Raises:
            FailedError: they are not those that the hub lists.
            Interrupted: the transfer was called off.
            RunbookError: hub or bucket refused.
        """
        self._persistently(self._bring)
        self._close()

    def recheck(self) -> None:
        """See that the session still has what was brought; where it is gone, bring it again."""
        self._persistently(self._bring_again)
        self._close()

    def commit(self) -> StoredObject:
        """Send the last bytes, with which the object appears.

        Raises:
            ConflictError: somebody else wrote another object of that name meanwhile.
            RunbookError: as for `prepare`.
        """
        made = self._persistently(self._finish)
        self._around.journal.forget(self._delivery)
        self._close()
        return made

    def _take_up(self) -> None:
        """Go on from what an earlier process left, where it left something."""
        known = self._around.journal.checkpoint(self._delivery)
        if known is None:
            return
        self._session = self._session_at(known.session)
        self._doubted = True
        if known.checksums is not None:
            self._checksums = Checksums.resumed(self._file, known.checksums)
            self._kept_at = self._checksums.position

    def _persistently(self, attempt: Callable[[], T]) -> T:
        failures = gone = 0
        while True:
            before = self._checksums.position
            try:
                return attempt()
            except SessionGone:
                self._begin_anew()
                failures, gone = failures + 1, gone + 1
                trouble = PassingError("its upload session is gone; it begins anew", place=self._place)
            except PreconditionFailed as error:
                self._begin_anew()
                raise self._conflict(self._around.bucket.held(self._delivery)) from error
            except PassingError as error:
                failures = 0 if self._checksums.position > before else failures + 1
                trouble = error
            except FailedError:
                self._discard()
                raise
            except (RunbookError, Interrupted):
                self._close()
                raise
            self._close()
            if MOST_FAILURES in (failures, gone):
                raise trouble
            self._rest(trouble, failures)

    def _rest(self, trouble: PassingError, failures: int) -> None:
        self._retries += 1
        self._doubted = True
        seconds = seconds_after(trouble, failures)
        self._around.watcher.warning(
            f"{self._file.path}: {trouble.message}; going on at {self._checksums.position} in {seconds:.1f} s"
        )
        self._tell(always=True)
        if self._around.stop.wait(seconds):
            raise Interrupted

    def _bring(self) -> None:
        if self._made is not None or self._prepared:
            return
        if self._around.stop.is_set():
            raise Interrupted
        session = self._session or self._open()
        kept = session.persisted() if self._doubted else 0
        if isinstance(kept, StoredObject):
            self._made = self._right(self._still_there(kept))
            return
        self._tail_start = max(kept, self._boundary)
        self._tail.clear()
        self._stream(session, kept)
        if not self._checksums.right:
            raise FailedError(
                f"{self._file.path} arrived with {self._checksums.digest}, the hub lists {self._file.digest}",
                place=self._place,
                remedy="run the same line again: it moves only this file",
            )
        self._prepared, self._doubted = True, False
        self._tell(always=True)

    def _bring_again(self) -> None:
        brought = self._prepared
        self._bring()
        if brought and self._session and self._session.persisted() != self._tail_start:
            raise SessionGone

    @property
    def _boundary(self) -> int:
        """Up to where bytes are sent before the hash is known to be right: a multiple of 256 KiB."""
        return max(0, self._file.size - 1) // GRANULE * GRANULE

    def _stream(self, session: UploadSession, kept: int) -> None:
        start = min(kept, self._checksums.position)
        if start == self._file.size:
            return
        with self._source.opened(self._file, start) as pieces:
            if kept < self._boundary:
                session.begin(kept, self._boundary)
            for piece in pieces:
                if self._around.stop.is_set():
                    raise Interrupted
                self._take(session, piece, start, kept)
                start += len(piece)
        if kept < self._boundary and session.end() != self._boundary:
            raise PassingError("Cloud Storage has not kept all that it was sent", place=self._place)

    def _take(self, session: UploadSession, piece: memoryview, position: int, kept: int) -> None:
        """Hash what was not hashed, send what was not kept, hold the tail back."""
        self._checksums.update(piece[max(0, self._checksums.position - position) :])
        unsent = piece[max(0, kept - position) :]
        now = max(0, self._boundary - max(position, kept))
        if unsent[:now]:
            session.send(unsent[:now])
        self._tail += unsent[now:]
        if self._checksums.position - self._kept_at >= CHECKPOINT_BYTES:
            self._keep(session)
        self._tell()

    def _finish(self) -> StoredObject:
        self._bring()
        while self._made is None:
            self._made = self._commit_once()
        return self._made

    def _commit_once(self) -> StoredObject | None:
        """Send the tail; None where only a part of it was kept."""
        session = self._session or self._open()
        start = session.persisted() if self._doubted else self._tail_start
        if isinstance(start, StoredObject):
            return self._right(start)
        self._cut_tail(start)
        self._doubted = True
        try:
            answered = session.commit(bytes(self._tail), start, self._checksums.crc32c)
        except PreconditionFailed:
            return self._written_by_others()
        if isinstance(answered, StoredObject):
            return self._right(answered)
        if answered <= start:
            raise PassingError("Cloud Storage kept nothing of what it was sent", place=self._place)
        self._cut_tail(answered)
        self._doubted = False
        return None

    def _cut_tail(self, kept: int) -> None:
        """Leave out of the tail what is kept already."""
        if kept < self._tail_start:
            raise SessionGone  # it has lost what it had said to have kept
        del self._tail[: kept - self._tail_start]
        self._tail_start = kept

    def _right(self, made: StoredObject) -> StoredObject:
        if made.size != self._file.size or self._differs(made):
            raise FailedError(
                f"the object has {made.size} bytes, crc32c {made.crc32c}; the hub lists {self._file.size}",
                place=self._place,
                remedy="run the same line again: it moves only this file",
            )
        return made

    def _still_there(self, made: StoredObject) -> StoredObject:
        """See that the object of a session that ended before this process began was not deleted since."""
        found = self._around.bucket.held(self._delivery)
        if found is None or found.generation != made.generation:
            raise SessionGone
        return made

    def _differs(self, made: StoredObject) -> bool:
        """Tell whether the checksum is another one, where all bytes were seen to know it."""
        return self._checksums.position == self._file.size and made.crc32c != self._checksums.crc32c

    def _written_by_others(self) -> StoredObject:
        found = self._around.bucket.held(self._delivery)
        if found and found.size == self._file.size and found.crc32c == self._checksums.crc32c:
            return found
        raise self._conflict(found)

    def _conflict(self, found: StoredObject | None) -> ConflictError:
        generation = f" (generation {found.generation}, {found.size} bytes)" if found else ""
        return ConflictError(
            f"somebody else wrote this object meanwhile{generation}",
            place=self._place,
            remedy="run the same line again: it looks at what is there now",
        )

    def _open(self) -> UploadSession:
        opened = self._session_at(self._around.bucket.open(self._delivery))
        self._session, self._doubted = opened, False
        self._keep(opened)
        return opened

    def _session_at(self, uri: str) -> UploadSession:
        return UploadSession(uri, self._place, self._around.consignment.stall_s)

    def _keep(self, session: UploadSession) -> None:
        self._kept_at = self._checksums.position
        self._around.journal.keep(self._delivery, Checkpoint(session.uri, self._checksums.state()))

    def _begin_anew(self) -> None:
        self._close()
        self._session, self._checksums, self._prepared = None, Checksums(self._file), False
        self._tail.clear()
        self._tail_start = self._kept_at = 0
        self._around.journal.forget(self._delivery)

    def _discard(self) -> None:
        """Forget the session and what it holds: its bytes are not right."""
        if self._session is not None:
            self._session.cancel()
        self._begin_anew()

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _tell(self, *, always: bool = False) -> None:
        now = time.monotonic()
        if always or now - self._told_at >= TOLD_S:
            self._told_at = now
            done, total = self._checksums.position, self._file.size
            self._around.watcher.transferred(self._file.path, done, total, self._retries)
