"""A transfer on another machine: `python transfer.pyz ORDERS JOURNAL` moves what the file ORDERS says.

What happens is told on stdout (`runbook.transfer.telling`). Exit code 0: all files are there.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from runbook.engine.errors import RunbookError
from runbook.transfer.all_files import move_all
from runbook.transfer.buckets import GivenSessions, WorkloadBucket
from runbook.transfer.journal import Journal
from runbook.transfer.move import Bucket, Interrupted, Surroundings
from runbook.transfer.orders import Orders
from runbook.transfer.telling import Teller


def main(orders_path: str, journal_path: str) -> int:
    """Move all files of the orders.

    Args:
        orders_path: of the document; it is read once, and removed.
        journal_path: where it is kept how far each file is.
    """
    teller = Teller(sys.stdout)
    orders = _taken(Path(orders_path))
    journal = Journal(Path(journal_path), orders.consignment.bucket, teller.warning)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    around = Surroundings(orders.consignment, _bucket(orders), journal, teller, stop)
    try:
        for path, made in move_all(around, stop.wait).items():
            teller.moved(path, made)
        teller.ended()
    except RunbookError as error:
        teller.failed(error)
        return 1
    except Interrupted:
        return 1
    finally:
        journal.close()
    return 0


def _taken(path: Path) -> Orders:
    """Read the orders and remove them, as they hold secrets."""
    text = path.read_text(encoding="utf-8")
    with suppress(OSError):  # a volume of Kubernetes cannot be written
        path.unlink()
    return Orders.read(text)


def _bucket(orders: Orders) -> Bucket:
    order = orders.consignment
    if orders.sessions:
        return GivenSessions(orders.sessions)
    return WorkloadBucket(orders.storage, order.bucket, order.stall_s)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
