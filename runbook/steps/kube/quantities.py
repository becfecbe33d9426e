"""Kubernetes' quantities, such as 500m, 64Gi or 4, as numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_QUANTITY: Final = re.compile(r"(?P<number>[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(?P<suffix>[a-zA-Z]*)")
_SUFFIXES: Final = {
    **{name: Decimal(10) ** (3 * power) for power, name in enumerate("kMGTPE", start=1)},
    **{f"{name}i": Decimal(2) ** (10 * power) for power, name in enumerate("KMGTPE", start=1)},
    "n": Decimal(10) ** -9,
    "u": Decimal(10) ** -6,
    "m": Decimal(10) ** -3,
    "": Decimal(1),
}


def amount(quantity: str) -> Decimal:
    """Give a quantity's number.

    Raises:
        ValueError: it is no quantity.
    """
    found = _QUANTITY.fullmatch(quantity)
    if found is None or found["suffix"] not in _SUFFIXES:
        raise ValueError(f"{quantity!r} is no quantity")
    return Decimal(found["number"]) * _SUFFIXES[found["suffix"]]
