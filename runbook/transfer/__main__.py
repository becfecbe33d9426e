"""A transfer on another machine: `python transfer.pyz ORDERS JOURNAL` moves what the file ORDERS says.

What happens is told on stdout (`runbook.transfer.telling`). Exit code 0: all files are there. With
`restarted` at its end, for who starts it again after any other code, 0 also says: the same would fail again.
"""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

from runbook.engine.errors import CredentialsError, PassingError, RunbookError
from runbook.transfer.all_files import move_all
from runbook.transfer.buckets import GivenSessions, WorkloadBucket
from runbook.transfer.files import Consignment
from runbook.transfer.journal import Journal
from runbook.transfer.orders import Orders
from runbook.transfer.surroundings import Bucket, Interrupted, Surroundings
from runbook.transfer.telling import Teller

RESTARTED = "restarted"


def main(orders_path: str, journal_path: str, ended_by: str = "") -> int:
    """Move all files of the orders.

    Args:
        orders_path: of the document; unless it will be needed for another start, it is removed once read.
        journal_path: where it is kept how far each file is.
        ended_by: `restarted` where an exit code other than 0 means another start.
    """
    teller = Teller(sys.stdout)
    orders = _taken(Path(orders_path), again=ended_by == RESTARTED)
    journal = Journal(Path(journal_path), orders.consignment.bucket, teller.warning)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        order, bucket = orders.consignment, _bucket(orders)
        if isinstance(bucket, WorkloadBucket):
            order = _remaining(order, bucket, teller)
        around = Surroundings(order, bucket, journal, teller, stop)
        for path, made in move_all(around, stop.wait).items():
            teller.moved(path, made)
        teller.ended()
    except RunbookError as error:
        teller.failed(error)
        return 0 if ended_by == RESTARTED and not _may_pass(error) else 1
    except Interrupted:
        return 1
    finally:
        journal.close()
    return 0


def _taken(path: Path, *, again: bool) -> Orders:
    """Read the orders, and remove them where nobody reads them again, as they hold secrets."""
    text = path.read_text(encoding="utf-8")
    if not again:
        path.unlink(missing_ok=True)
    return Orders.read(text)


def _remaining(order: Consignment, bucket: WorkloadBucket, teller: Teller) -> Consignment:
    """Leave out what an earlier start of this worker has delivered: its orders do not know of it."""
    remaining = []
    for delivery in order.deliveries:
        arrived = bucket.arrived(delivery)
        if arrived is None:
            remaining.append(delivery)
        else:
            teller.moved(delivery.file.path, arrived)
    return replace(order, deliveries=remaining)


def _may_pass(error: RunbookError) -> bool:
    """Tell whether the same again may go better: also a grant counts everywhere only after some minutes."""
    return isinstance(error, PassingError | CredentialsError)


def _bucket(orders: Orders) -> Bucket:
    order = orders.consignment
    if orders.sessions:
        return GivenSessions(orders.sessions)
    return WorkloadBucket(orders.storage, order.bucket, order.stall_s)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
