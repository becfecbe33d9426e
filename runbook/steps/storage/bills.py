"""What a bucket costs: the bytes that lie in it."""

from __future__ import annotations

from typing import Final

from runbook.engine.bill import Bill
from runbook.steps.context import Context
from runbook.steps.model.sizes import bytes_text

HOURS_OF_A_MONTH: Final = 730
GIB: Final = 2**30


def bucket_bill(context: Context, objects: int, size: int) -> Bill:
    """Name what the bucket bills.

    Args:
        objects: how many.
        size: bytes of all of them.
    """
    price = context.variables.prices.storage_gib_month
    hourly = None if price is None else size / GIB * price / HOURS_OF_A_MONTH
    return Bill(f"bucket {context.variables.bucket.name}", f"{objects} objects, {bytes_text(size)}", hourly)
