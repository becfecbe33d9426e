"""How files are shared out among workers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook.engine.errors import RefusedError
from runbook.steps.model.shares import orders, shared_out
from runbook.transfer.files import Consignment, Delivery, HubFile

GIB = 1 << 30


def consignment(*sizes: int) -> Consignment:
    files = [HubFile(f"file-{number}", size, "sha256:" + "0" * 64) for number, size in enumerate(sizes)]
    deliveries = [Delivery(file, f"folder/{file.path}", {"hub-digest": file.digest}, 0) for file in files]
    return Consignment("http://hub", "token", "a/b", "0" * 40, "bucket", deliveries, 5, 60, together=False)


def sizes(shares: list[Consignment]) -> list[list[int]]:
    return sorted(sorted(item.file.size for item in share.deliveries) for share in shares)


def test_the_largest_come_first_to_who_has_least() -> None:
    shares = shared_out(consignment(5 * GIB, 4 * GIB, 3 * GIB, 3 * GIB, GIB), 2)
    assert sizes(shares) == [[GIB, 3 * GIB, 4 * GIB], [3 * GIB, 5 * GIB]]


def test_small_files_are_work_too() -> None:
    shares = shared_out(consignment(GIB, *[10] * 4000), 4)
    assert max(len(share.deliveries) for share in shares) < 1300


def test_there_are_no_more_workers_than_files() -> None:
    assert len(shared_out(consignment(1, 2), 4)) == 2


def test_what_appears_together_is_one_workers() -> None:
    assert len(shared_out(replace(consignment(1, 2, 3, 4), together=True), 4)) == 1


def test_orders_hold_no_token() -> None:
    texts = orders(shared_out(consignment(1, 2), 2), "http://storage")
    assert not [text for text in texts if '"token": null' not in text]


def test_orders_that_fit_into_no_config_map_are_refused() -> None:
    with pytest.raises(RefusedError, match="a ConfigMap holds") as refused:
        orders(shared_out(consignment(*[1] * 9000), 2), "http://storage")
    assert "transfer.workers" in str(refused.value.remedy)
