"""A bucket that waits for a model, in a stand-in that the tests of one file share."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runbook.engine.outcome import Outcome, Status
from tests.steps_gke.workplace import Workplace, variables_with, workplace_in

REPOSITORY = "rehearsal/made-2x3MiB"
FIRST, LAST = "model-00000-of-00001.safetensors", "model-00001-of-00001.safetensors"
FOLDER = "made"
MANIFEST = ".runbook-manifest.json"


@dataclass
class Shipment:
    """A model on its way into an empty bucket of its own.

    Args:
        work: the stand-in and the engine for single steps.
        since: when it was made.
    """

    work: Workplace
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    def run(self) -> Outcome:
        return self.work.apply("model.upload")

    def fault(self, **fault: Any) -> None:
        """Let the next request that matches fail, or as many as `times` says."""
        self.work.cloud.control("POST", "faults", fault)

    def requests(self, api: str, method: str, path: str = "") -> list[str]:
        """The paths of the requests since the shipment was made."""
        return [
            entry["path"]
            for entry in self.work.cloud.control("GET", "requests")
            if (entry["api"], entry["method"]) == (api, method)
            and path in entry["path"]
            and _begun(entry) >= self.since
        ]

    def objects(self) -> dict[str, dict[str, Any]]:
        """The bucket's objects by their path in the model's folder."""
        listing = self.work.cloud.get(f"/storage/v1/b/{self.bucket}/o?prefix={FOLDER}/")
        return {item["name"].removeprefix(f"{FOLDER}/"): item for item in listing.get("items", [])}

    def content(self, path: str) -> bytes:
        answer = self.work.cloud.ask("GET", f"/storage/v1/b/{self.bucket}/o/{FOLDER}%2F{path}?alt=media")
        assert answer.ok, answer.text
        return bytes(answer.content)

    def write(self, path: str, content: bytes) -> None:
        """Have somebody else write an object into the folder."""
        url = f"/upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={FOLDER}/{path}"
        headers = {"Authorization": f"Bearer {self.work.cloud.token}"}
        answer = self.work.cloud.session.post(
            self.work.cloud.endpoints["google"] + url, data=content, headers=headers, timeout=10
        )
        assert answer.ok, answer.text

    def all_right(self) -> bool:
        """Whether every shard's bytes are those that the recorded hash names, and the manifest is there."""
        held = self.objects()
        hashes = {
            path: hashlib.sha256(self.content(path)).hexdigest()
            for path in held
            if path.endswith(".safetensors")
        }
        return (
            MANIFEST in held
            and {FIRST, LAST} <= set(hashes)
            and all(
                held[path]["metadata"]["hub-digest"] == f"sha256:{digest}" for path, digest in hashes.items()
            )
        )

    @property
    def journal(self) -> Path:
        return self.work.cloud.home.parent / ".runs" / "rehearsal" / "transfer.jsonl"

    @property
    def bucket(self) -> str:
        return self.work.variables.bucket.name


def _begun(entry: dict[str, Any]) -> datetime:
    """When a request came; the log has when its answer ended, and a stalled one ends in a later test."""
    return datetime.fromisoformat(entry["time"]) - timedelta(milliseconds=entry["ms"])


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Give the tests of one file one stand-in."""
    with workplace_in(tmp_path_factory.mktemp("cloud")) as opened:
        yield opened


@pytest.fixture
def shipment_with(shared_cloud: Workplace) -> Iterator[Callable[..., Shipment]]:
    """Make shipments with settings such as `transfer.stall_s=1`."""

    def make(*settings: str) -> Shipment:
        bucket = f"models-{secrets.token_hex(4)}"
        own = (
            f"bucket.name={bucket}",
            f"checkpoint.repository={REPOSITORY}",
            f"checkpoint.folder={FOLDER}",
            "transfer.stall_s=1",
            "transfer.files_at_once=2",  # the shards, being the largest, come first
        )
        made = Shipment(Workplace(shared_cloud.cloud, variables_with(*own, *settings)))
        assert made.work.apply("storage.bucket").status is Status.CHANGED
        return made

    yield make
    shared_cloud.cloud.control("DELETE", "faults")


@pytest.fixture
def shipment(shipment_with: Callable[..., Shipment]) -> Shipment:
    """The usual one: two shards of 3 MiB."""
    return shipment_with()
