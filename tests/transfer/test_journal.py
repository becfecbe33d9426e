"""The journal of a transfer: its owner's alone, and whole whatever ends the process that writes it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from runbook.transfer import journal
from runbook.transfer.checksums import Checksums
from runbook.transfer.files import Delivery, HubFile
from runbook.transfer.journal import Checkpoint, Journal

CONTENT = memoryview(bytearray(range(256)) * 4096)


def delivery(name: str = "made/shard", digest: str = "sha256:00", generation: int = 0) -> Delivery:
    return Delivery(HubFile("shard", len(CONTENT), digest), name, {}, generation)


def opened(folder: Path, bucket: str = "models") -> Journal:
    return Journal(folder / "transfer.jsonl", bucket, pytest.fail)


def test_a_checkpoint_is_found_by_the_next_process(tmp_path: Path) -> None:
    writing = opened(tmp_path)
    writing.keep(delivery(), Checkpoint("https://session/1", {"position": 1}))
    writing.keep(delivery(), Checkpoint("https://session/1", {"position": 2}))
    writing.close()
    assert opened(tmp_path).checkpoint(delivery()) == Checkpoint("https://session/1", {"position": 2})


@pytest.mark.parametrize(
    "other", [delivery("made/other"), delivery(digest="sha256:11"), delivery(generation=7)], ids=str
)
def test_a_checkpoint_is_about_these_bytes_under_this_name_alone(tmp_path: Path, other: Delivery) -> None:
    writing = opened(tmp_path)
    writing.keep(delivery(), Checkpoint("https://session/1", None))
    assert writing.checkpoint(other) is None
    writing.close()
    assert opened(tmp_path, "another-bucket").checkpoint(delivery()) is None


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    writing = opened(tmp_path)
    writing.keep(delivery(), Checkpoint("https://session/1", None))
    assert (tmp_path / "transfer.jsonl").stat().st_mode & 0o777 == 0o600
    writing.close()


def test_a_journal_that_knows_of_no_file_any_more_is_removed(tmp_path: Path) -> None:
    writing = opened(tmp_path)
    writing.keep(delivery(), Checkpoint("https://session/1", None))
    writing.forget(delivery())
    writing.close()
    assert not (tmp_path / "transfer.jsonl").exists()


@pytest.mark.parametrize("cut", [2, 20, 60])
def test_a_line_that_was_cut_leaves_the_one_before(tmp_path: Path, cut: int) -> None:
    writing = opened(tmp_path)
    writing.keep(delivery(), Checkpoint("https://session/1", {"position": 1}))
    writing.keep(delivery(), Checkpoint("https://session/1", {"position": 2}))
    writing.close()
    path = tmp_path / "transfer.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    found = opened(tmp_path).checkpoint(delivery())
    assert found == Checkpoint("https://session/1", {"position": 1})


def test_noise_in_it_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "transfer.jsonl").write_bytes(b"\x00\xff\n12345678 [1]\n\n")
    assert opened(tmp_path).checkpoint(delivery()) is None


def test_it_does_not_grow_with_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "COMPACT_BYTES", 2000)
    writing = opened(tmp_path)
    for position in range(500):
        writing.keep(delivery(), Checkpoint("https://session/1", {"position": position}))
    assert (tmp_path / "transfer.jsonl").stat().st_size < 3000
    writing.close()
    found = opened(tmp_path).checkpoint(delivery())
    assert found == Checkpoint("https://session/1", {"position": 499})


@pytest.mark.parametrize("split", [0, 1, 63, 64, 65, 1000, len(CONTENT)])
def test_a_hash_goes_on_from_its_kept_state(split: int) -> None:
    file = HubFile("shard", len(CONTENT), f"sha256:{hashlib.sha256(CONTENT).hexdigest()}")
    begun = Checksums(file)
    begun.update(CONTENT[:split])
    state = begun.state()
    if state is None:
        pytest.skip("OpenSSL's own functions are not to be had here: files are hashed from their beginning")
    resumed = Checksums.resumed(file, state)
    resumed.update(CONTENT[split:])
    assert resumed.right
    whole = Checksums(file)
    whole.update(CONTENT)
    assert resumed.crc32c == whole.crc32c
