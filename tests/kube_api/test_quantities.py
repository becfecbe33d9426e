"""Quantities are read, compared and kept as the real API server does."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rehearsal.kube.api.quantities import amount, canonical


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("4", "4"),
        (4, "4"),
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1.5", "1500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("512Ki", "512Ki"),
        ("64Gi", "64Gi"),
        ("2000", "2k"),
        ("0", "0"),
        ("1e3", "1e3"),
    ],
)
def test_a_quantity_is_kept_in_its_canonical_form(given: str | int, kept: str) -> None:
    assert canonical(given) == kept


def test_quantities_compare_as_numbers() -> None:
    assert amount("1Gi") == 1024**3
    assert amount("1G") == 10**9
    assert amount("250m") == Decimal("0.25")


@pytest.mark.parametrize("text", ["four", "1 Gi", "", "1gi"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        canonical(text)
