"""A consignment shared out among workers: the largest files first, each to who has the least to do."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runbook.engine.errors import Place, RefusedError
from runbook.transfer.files import Consignment, Delivery
from runbook.transfer.orders import Orders

FILE_COSTS: Final = 1 << 20
"""Bytes that one file counts beside its own, for its requests: thousands of small files are work too."""
MOST_BYTES: Final = (1 << 20) - 4096
"""A ConfigMap holds a MiB of data; some of it is for its keys."""


def shared_out(order: Consignment, workers: int) -> list[Consignment]:
    """Share the files out, without the hub's token, which goes another way.

    What is to appear together stays together: one worker cannot know how far another is.

    Args:
        order: all files.
        workers: how many shares at most.
    """
    count = 1 if order.together else min(workers, len(order.deliveries))
    shares: list[list[Delivery]] = [[] for _ in range(count)]
    loads = [(0, index) for index in range(count)]
    for delivery in sorted(order.deliveries, key=lambda delivery: -delivery.file.size):
        load, index = heapq.heappop(loads)
        shares[index].append(delivery)
        heapq.heappush(loads, (load + delivery.file.size + FILE_COSTS, index))
    return [replace(order, token=None, deliveries=share) for share in shares]


def orders(shares: Sequence[Consignment], storage: str) -> list[str]:
    """Write each worker's orders.

    Args:
        storage: base address of Cloud Storage.

    Raises:
        RefusedError: those of one worker do not fit into a ConfigMap.
    """
    texts = [Orders(share, {}, storage).text() for share in shares]
    longest = max(texts, key=len)
    if len(longest.encode()) > MOST_BYTES:
        most = max(len(share.deliveries) for share in shares)
        raise RefusedError(
            f"the orders of one worker, {most} files, have {len(longest.encode())} bytes, and a ConfigMap "
            f"holds {MOST_BYTES}",
            place=Place("transfer.workers"),
            remedy="raise transfer.workers, or set transfer.where to local",
        )
    return texts
