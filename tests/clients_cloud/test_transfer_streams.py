"""Bytes on their way into the bucket: whole, checked, or not there at all."""

from __future__ import annotations

import base64
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import google_crc32c
import pytest

from runbook.clients import transfer
from runbook.clients.connections import Connections
from runbook.clients.hub import HubFile
from runbook.engine.errors import ConflictError, FailedError, RunbookError
from tests.rehearsal.stand_in import StandIn

BUCKET = "transfer-tests"
LARGE = random.Random(7).randbytes(20_000_000)


@pytest.fixture(scope="module", autouse=True)
def bucket(cloud: StandIn) -> None:
    assert cloud.ask("POST", "/storage/v1/b?project=demo-project", {"name": BUCKET}).ok


@pytest.fixture
def draft(connections: Connections) -> Callable[..., transfer.Draft]:
    def make(name: str, *, replaces: bool = False) -> transfer.Draft:
        return transfer.Draft(connections.file_system, BUCKET, name, {"from": "a test"}, replaces=replaces)

    return make


Make = Callable[..., transfer.Draft]


def stored(cloud: StandIn, name: str) -> dict[str, Any] | None:
    answer = cloud.ask("GET", f"/storage/v1/b/{BUCKET}/o/{name}")
    found: dict[str, Any] | None = answer.json() if answer.ok else None
    return found


def crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()


@pytest.mark.parametrize("size", [0, 1, 256 << 10, 8 << 20, (8 << 20) + 1, 20_000_000])
def test_an_object_of_any_size_arrives_whole(cloud: StandIn, draft: Make, size: int) -> None:
    name = f"size-{size}"
    writing = draft(name)
    for start in range(0, size, 1_000_000):
        writing.write(LARGE[start : min(start + 1_000_000, size)])
    checksum = writing.commit()
    found = stored(cloud, name)
    assert found is not None
    assert (int(found["size"]), found["crc32c"]) == (size, checksum) == (size, crc32c(LARGE[:size]))
    assert found["metadata"] == {"from": "a test"}


def test_nobody_sees_an_object_before_it_is_committed(cloud: StandIn, draft: Make) -> None:
    writing = draft("unfinished")
    writing.write(LARGE)
    assert stored(cloud, "unfinished") is None
    writing.discard()
    assert stored(cloud, "unfinished") is None


def test_an_object_that_appears_meanwhile_is_left_alone(cloud: StandIn, draft: Make) -> None:
    late, early = draft("contested"), draft("contested")
    early.write(b"early")
    early.commit()
    late.write(b"late")
    with pytest.raises(ConflictError):
        late.commit()
    found = stored(cloud, "contested")
    assert found is not None
    assert found["size"] == "5"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"kind": "reset"},
        {"status": 429, "times": 2},
        {"kind": "truncate", "after": 0},
        {"kind": "truncate", "after": 2},
    ],
)
def test_a_chunk_that_is_refused_for_a_while_is_sent_again(
    cloud: StandIn, draft: Make, fault: dict[str, Any]
) -> None:
    name = "again-" + "-".join(str(value) for value in fault.values())
    cloud.control("POST", "faults", {"api": "storage", "method": "PUT", "after": 1} | fault)
    writing = draft(name)
    writing.write(LARGE)
    writing.commit()
    found = stored(cloud, name)
    assert found is not None
    assert found["crc32c"] == crc32c(LARGE)


def test_bytes_that_are_not_what_the_hub_lists_become_no_object(
    cloud: StandIn, connections: Connections
) -> None:
    model = connections.hub.model("rehearsal/gpt-oss-tiny", "main")
    file = next(one for one in model.files if one.path == "config.json")
    lying = HubFile(file.path, file.size, "git-sha1:" + "0" * 40)
    delivery = transfer.Delivery(lying, "wrong.json", {}, replaces=False)
    with pytest.raises(FailedError, match="the hub lists"):
        transfer.deliver(
            connections.hub,
            connections.file_system,
            model,
            BUCKET,
            delivery,
            progress=lambda name, done, total: None,
            stop=threading.Event(),
        )
    assert stored(cloud, "wrong.json") is None


def test_where_one_file_fails_the_others_are_finished(cloud: StandIn, connections: Connections) -> None:
    model = connections.hub.model("rehearsal/gpt-oss-tiny", "main")
    files = [one for one in model.files if one.path in {"config.json", "tokenizer.json"}]
    cloud.control("POST", "faults", {"api": "hub", "path": "/config.json", "status": 404})
    with pytest.raises(RunbookError):
        transfer.deliver_all(
            connections.hub,
            connections.file_system,
            model,
            BUCKET,
            [transfer.Delivery(file, f"others/{file.path}", {}, replaces=False) for file in files],
            at_once=2,
            progress=lambda name, done, total: None,
            pause=time.sleep,
        )
    assert stored(cloud, "others%2Fconfig.json") is None
    assert stored(cloud, "others%2Ftokenizer.json") is not None
