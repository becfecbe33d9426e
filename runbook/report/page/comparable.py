"""Which runs may stand beside each other on a page: those that `inv compare` would compare."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.measurement.document import Document
from runbook.measurement.likeness import likeness


def comparable(document: Document, others: Sequence[Document]) -> list[Document]:
    """Choose the benchmarks that are alike and count, a document itself included; only the server may differ.

    Args:
        document: it is among the chosen even where its own verdict is bad.
        others: the benchmarks that are kept, the oldest first.
    """
    return [other for other in others if other.id == document.id or _alike(document, other)]


def last_before(document: Document, alike: Sequence[Document]) -> Document | None:
    """Find the last comparable benchmark that began earlier, in another run."""
    earlier = [
        other for other in alike if other.run_id != document.run_id and other.started < document.started
    ]
    return earlier[-1] if earlier else None


def _alike(document: Document, other: Document) -> bool:
    return other.verdict.ok and not likeness(other, document, ()).refused
