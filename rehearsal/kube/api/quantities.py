"""Kubernetes' resource quantities: reading them, comparing them, and the form in which they are kept."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal

_PATTERN = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d+)?$")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_SUFFIX_EXPONENT = {suffix: exponent for exponent, suffix in _DECIMAL.items()}
_NANO = Decimal(1).scaleb(-9)


def _parts(text: str) -> tuple[Decimal, str]:
    match = _PATTERN.match(text)
    if match is None:
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    return Decimal(match[1]), match[2] or ""


def amount(text: str | float) -> Decimal:
    """Read a quantity as a number.

    Raises:
        ValueError: it is not a quantity.
    """
    number, suffix = _parts(str(text))
    if suffix in _BINARY:
        return number * Decimal(1024 ** _BINARY.index(suffix))
    if suffix in _SUFFIX_EXPONENT:
        return number.scaleb(_SUFFIX_EXPONENT[suffix])
    return number.scaleb(int(suffix[1:]))


def canonical(text: str | float) -> str:
    """Write a quantity as the API server keeps it: `1024Mi` is `1Gi`, `0.5` is `500m`, 4 is `4`.

    Raises:
        ValueError: it is not a quantity.
    """
    _, suffix = _parts(str(text))
    value = amount(text).quantize(_NANO, rounding=ROUND_UP)
    if suffix in _BINARY[1:] and abs(value) >= 1024 and value == value.to_integral_value():
        return _binary(int(value))
    if suffix[:1] in {"e", "E"} and suffix[1:]:
        return _exponential(value)
    return _decimal(value)


def _binary(value: int) -> str:
    power = 0
    while value and value % 1024 == 0 and power < len(_BINARY) - 1:
        value //= 1024
        power += 1
    return f"{value}{_BINARY[power]}"


def _largest_exponent(value: Decimal) -> int:
    if not value:
        return 0
    return max(e for e in _DECIMAL if value.scaleb(-e) == value.scaleb(-e).to_integral_value())


def _decimal(value: Decimal) -> str:
    exponent = _largest_exponent(value)
    return f"{int(value.scaleb(-exponent))}{_DECIMAL[exponent]}"


def _exponential(value: Decimal) -> str:
    exponent = _largest_exponent(value)
    return f"{int(value.scaleb(-exponent))}" + (f"e{exponent}" if exponent else "")
