"""What goes wrong between hub and bucket: the right end, or the right error."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.engine.errors import CredentialsError, FailedError, PassingError, RefusedError
from runbook.engine.outcome import Status
from tests.transfer.conftest import FIRST, LAST, MANIFEST, REPOSITORY, Shipment

SHARD = "/lfs/"
HUB_SHARD = f"/resolve/.*{FIRST}"
LARGE_FILES = 3
"""Two shards and the tokenizer come from the CDN."""


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1},
        {"status": 503},
        {"status": 403},
        {"kind": "reset"},
        {"kind": "stall", "seconds": 3},
        {"kind": "truncate", "bytes": 0},
        {"kind": "truncate", "bytes": 2_500_000},
    ],
    ids=["429", "503", "signature expired", "reset", "stall", "cut at once", "cut in the middle"],
)
def test_a_cdn_that_fails_once_is_asked_once_more(shipment: Shipment, fault: dict[str, Any]) -> None:
    shipment.fault(api="cdn", path=SHARD, **fault)
    assert shipment.run().status is Status.CHANGED
    assert shipment.all_right()
    assert len(shipment.requests("cdn", "GET", SHARD)) <= LARGE_FILES + 1


@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "retry_after": 1}, {"status": 502}, {"kind": "reset"}, {"kind": "stall", "seconds": 3}],
    ids=["429", "502", "reset", "stall"],
)
def test_a_hub_that_fails_once_is_asked_once_more(shipment: Shipment, fault: dict[str, Any]) -> None:
    shipment.fault(api="hub", path=HUB_SHARD, **fault)
    assert shipment.run().status is Status.CHANGED
    assert shipment.all_right()
    assert len(shipment.requests("hub", "GET", FIRST)) <= 2


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1},
        {"status": 503},
        {"kind": "reset"},
        {"kind": "stall", "seconds": 3},
        {"kind": "truncate", "bytes": 0},
    ],
    ids=["429", "503", "reset", "stall", "answer cut"],
)
@pytest.mark.parametrize("nth", [0, 1, 2, 3])
def test_a_bucket_that_fails_once_goes_on(shipment: Shipment, fault: dict[str, Any], nth: int) -> None:
    shipment.fault(api="storage", method="PUT", after=nth, **fault)
    assert shipment.run().status is Status.CHANGED
    assert shipment.all_right()


@pytest.mark.parametrize("status", [401, 503])
def test_a_session_that_cannot_be_opened_at_first_is_opened_then(shipment: Shipment, status: int) -> None:
    shipment.fault(
        api="storage",
        method="POST",
        path="uploadType=resumable",
        status=status,
        message="Invalid Credentials",
    )
    assert shipment.run().status is Status.CHANGED
    assert shipment.all_right()


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("nth", [0, 1, 3])
def test_a_session_that_is_gone_is_replaced(shipment: Shipment, status: int, nth: int) -> None:
    shipment.fault(api="storage", method="PUT", path="upload_id", after=nth, status=status)
    assert shipment.run().status is Status.CHANGED
    assert shipment.all_right()


def test_retry_after_is_what_is_waited(shipment: Shipment) -> None:
    shipment.fault(api="cdn", path=SHARD, status=429, retry_after=2)
    shipment.run()
    assert any("in 2.0 s" in text for text in shipment.work.voice.warnings)


def test_what_was_taken_up_again_is_counted(shipment: Shipment) -> None:
    shipment.fault(api="cdn", path=SHARD, kind="truncate", bytes=1_500_000)
    shipment.run()
    assert max(retries for *_, retries in shipment.work.voice.transfers) == 1


def test_what_arrived_before_a_cut_is_not_fetched_again(shipment: Shipment) -> None:
    shipment.fault(api="cdn", path=SHARD, kind="truncate", bytes=2 << 20)
    shipment.run()
    offsets = [text for text in shipment.work.voice.warnings if "going on at" in text]
    assert offsets
    assert "going on at 2097152" in offsets[0]


def test_wrong_bytes_become_no_object_and_the_others_arrive(shipment: Shipment) -> None:
    shipment.fault(api="cdn", path=SHARD, kind="flip", bytes=1_000_000)
    outcome = shipment.run()
    assert isinstance(outcome.error, FailedError)
    assert "the hub lists sha256:" in outcome.error.message
    held = set(shipment.objects())
    assert len(held & {FIRST, LAST}) == 1
    assert MANIFEST not in held
    assert shipment.requests("storage", "DELETE", "upload_id")
    before = len(shipment.requests("cdn", "GET", SHARD))
    assert shipment.run().status is Status.CHANGED
    assert shipment.all_right()
    assert len(shipment.requests("cdn", "GET", SHARD)) == before + 1


def test_a_hub_that_stays_broken_is_given_up(shipment: Shipment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.transfer.patience.MOST_PAUSE_S", 0.1)
    shipment.fault(api="cdn", path=SHARD, kind="reset", times=1000)
    outcome = shipment.run()
    assert isinstance(outcome.error, PassingError)
    assert MANIFEST not in shipment.objects()


def test_a_file_that_the_hub_lost_is_named(shipment: Shipment) -> None:
    shipment.fault(api="hub", path=HUB_SHARD, status=404, times=10)
    outcome = shipment.run()
    assert isinstance(outcome.error, RefusedError)
    assert FIRST in str(outcome.error.place)
    assert len(shipment.requests("hub", "GET", FIRST)) == 1


@pytest.mark.parametrize("token", [None, "hf_somebody_else"])
def test_a_gated_model_tells_where_a_token_comes_from(
    shipment_with: Any, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    outcome = shipment_with("checkpoint.repository=rehearsal/gpt-oss-gated").run()
    assert isinstance(outcome.error, CredentialsError)
    assert "accept the model's terms" in str(outcome.error.remedy)
    assert "https://huggingface.co/settings/tokens" in str(outcome.error.remedy)
    assert "hf_" not in str(outcome.error.remedy) + outcome.error.message + str(outcome.error.place)


def test_a_disk_that_is_full_costs_the_journal_and_nothing_else(shipment: Shipment) -> None:
    shipment.journal.parent.mkdir(parents=True, exist_ok=True)
    full = shipment.journal.with_name("transfer.jsonl.new")
    full.symlink_to("/dev/full")
    try:
        assert shipment.run().status is Status.CHANGED
    finally:
        full.unlink(missing_ok=True)
    assert shipment.all_right()
    told = [text for text in shipment.work.voice.warnings if "transfer.jsonl" in text]
    assert len(told) == 1
    assert "No space left on device" in told[0]


def test_nothing_is_asked_for_twice_where_nothing_fails(shipment: Shipment) -> None:
    assert shipment.run().status is Status.CHANGED
    files = len(shipment.objects()) - 1
    assert len(shipment.requests("hub", "GET", "/resolve/")) == files
    assert len(shipment.requests("hub", "GET", f"/api/models/{REPOSITORY}")) == 1
    assert len(shipment.requests("storage", "POST", "uploadType=resumable")) == files + 1
    shards = 2
    assert len(shipment.requests("storage", "PUT", "upload_id")) == files + 1 + shards
