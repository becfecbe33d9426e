"""What costs money while it is there: named by the steps that make it, told at the end of a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bill:
    """One thing that bills by the hour.

    Args:
        resource: its name, such as `node pool tpu7x`; the same name is the same thing.
        detail: how much of it there is, such as `1 x tpu7x-standard-4t`.
        hourly: what it costs an hour; None where no price is known.
    """

    resource: str
    detail: str
    hourly: float | None

    def __str__(self) -> str:
        return f"{self.resource} ({self.detail})" if self.detail else self.resource


@dataclass(frozen=True)
class Pricing:
    """How figures are to be read.

    Args:
        currency: such as EUR; empty where no prices are known.
        note: what the operator should know of them.
    """

    currency: str = ""
    note: str = ""


def total(bills: Iterable[Bill]) -> float | None:
    """Add up what is priced; None where nothing is."""
    priced = [bill.hourly for bill in bills if bill.hourly is not None]
    return sum(priced) if priced else None


def distinct(bills: Iterable[Bill]) -> Sequence[Bill]:
    """Name each thing once, as the last step that named it did."""
    return tuple({bill.resource: bill for bill in bills}.values())
