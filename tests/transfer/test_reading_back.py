"""transfer.verify=deep: every byte in the bucket is read and hashed; metadata alone convince nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbook.engine.outcome import Status
from tests.steps_gke.workplace import paths
from tests.transfer.conftest import FIRST, FOLDER, Shipment

Make = Callable[..., Shipment]


@pytest.fixture
def shipment(shipment_with: Make) -> Shipment:
    made = shipment_with("transfer.verify=deep")
    assert made.run().status is Status.CHANGED
    return made


def rot(shipment: Shipment, position: int) -> None:
    """Turn one bit of the first shard over where the stand-in keeps it; size, checksum, metadata stay."""
    shard = shipment.content(FIRST)
    same = [
        path
        for path in shipment.work.cloud.home.rglob("blobs/*")
        if path.stat().st_size == len(shard) and path.read_bytes() == shard
    ]
    newest = max(same, key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(shard[:position] + bytes([shard[position] ^ 1]) + shard[position + 1 :])


def test_what_is_right_is_told_to_have_been_read(shipment: Shipment) -> None:
    outcome = shipment.work.checked_without_a_write("model.upload")
    assert outcome.status is Status.OK
    assert "every byte read back" in outcome.reason


def test_one_bit_that_nobody_else_sees_is_found_and_mended(shipment: Shipment) -> None:
    rot(shipment, 2_000_000)
    outcome = shipment.work.checked_without_a_write("model.upload")
    assert paths(outcome.changes) == [f"gs://{shipment.bucket}/{FOLDER}/{FIRST}"]
    assert "read back" in outcome.changes[0].differences[0].before
    assert shipment.run().status is Status.CHANGED
    assert shipment.all_right()
    assert shipment.work.check("model.upload").status is Status.OK


@pytest.mark.parametrize(
    "fault", [{"kind": "truncate", "bytes": 2_000_000}, {"kind": "reset"}, {"status": 503}], ids=str
)
def test_a_bucket_that_stumbles_is_read_on(shipment: Shipment, fault: dict[str, object]) -> None:
    shipment.fault(api="storage", method="GET", path="alt=media", **fault)
    assert shipment.work.check("model.upload").status is Status.OK


def test_without_it_nothing_is_read(shipment_with: Make) -> None:
    plain = shipment_with()
    plain.run()
    assert plain.work.check("model.upload").status is Status.OK
    assert not plain.requests("storage", "GET", "alt=media")
