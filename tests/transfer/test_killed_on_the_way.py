"""kill -9 on the way; the next process goes on where the last one was, and fetches little twice."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook.clients.connections import Connections
from runbook.clients.mount import Mount
from runbook.transfer.files import Consignment, Delivery
from runbook.transfer.orders import Orders
from tests.acceptance.conftest import Operator, new_operator
from tests.transfer.conftest import FOLDER, Shipment
from tests.transfer.relay import Relay, relayed

pytestmark = pytest.mark.slow

SHARD = 256 << 20
SIZE = 4 * SHARD
KILLS = 50


@pytest.fixture
def shipment(shipment_with: Callable[..., Shipment]) -> Shipment:
    return shipment_with("checkpoint.repository=rehearsal/made-4x256MiB")


def orders_for(shipment: Shipment) -> Orders:
    """What a process of its own is told: the four shards, with sessions that were opened here."""
    connections = Connections(shipment.work.variables, shipment.work.cloud.home.parent)
    model = connections.hub.model("rehearsal/made-4x256MiB", "main")
    shards = [file for file in model.files if file.size == SHARD]
    deliveries = [Delivery(file, f"{FOLDER}/{file.path}", {"hub-digest": file.digest}, 0) for file in shards]
    mount = Mount(connections.file_system, shipment.bucket)
    sessions = {one.name: mount.open(one) for one in deliveries}
    hub = connections.endpoints.hub
    connections.close()
    order = Consignment(
        hub, None, model.repository, model.commit, shipment.bucket, deliveries, 4, 10.0, False
    )
    return Orders(order, sessions, "")


def killed_at(relay: Relay, moment: int, line: list[str]) -> None:
    """Kill a process when so many bytes have gone over the relay, in all."""
    with subprocess.Popen(line, stdout=subprocess.DEVNULL) as process:
        while relay.fetched < moment and process.poll() is None:
            time.sleep(0.001)
        process.kill()


def test_killed_at_fifty_random_moments(shipment: Shipment, tmp_path: Path) -> None:
    orders, journal = tmp_path / "orders.json", tmp_path / "transfer.jsonl"
    text = orders_for(shipment).text()
    line = [sys.executable, "-m", "runbook.transfer", str(orders), str(journal)]
    moments = sorted(random.Random(12).sample(range(1, SIZE), KILLS))
    with relayed(shipment.work.cloud.home, 150e6) as relay:
        for moment in moments:
            orders.write_text(text)
            killed_at(relay, moment, line)
        orders.write_text(text)
        assert subprocess.run(line, stdout=subprocess.DEVNULL, check=False, timeout=60).returncode == 0
    assert right(shipment) == 4
    assert relay.fetched < 1.3 * SIZE
    assert not journal.exists()
    print(f"{KILLS} kills: {relay.fetched / SIZE:.3f} times the model was fetched")


def right(shipment: Shipment) -> int:
    """Count the shards whose bytes are those that their metadata names."""
    return sum(
        held["metadata"]["hub-digest"] == f"sha256:{hashlib.sha256(shipment.content(path)).hexdigest()}"
        for path, held in shipment.objects().items()
        if path.endswith(".safetensors")
    )


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    yield from new_operator(tmp_path / "home")


@pytest.mark.parametrize("journal", ["kept", "lost with the machine"])
def test_the_same_line_goes_on(operator: Operator, journal: str) -> None:
    model = ("--set", "checkpoint.repository=rehearsal/made-4x256MiB", "--set", f"checkpoint.folder={FOLDER}")
    step = ("step", "3.1,3.2.1,3.2.2,3.2.3", *model)
    assert operator.inv("step", "3.1,3.2.1,3.2.2").code == 0
    with relayed(operator.home / ".rehearsal", 150e6) as relay:
        with operator.start(*step) as process:
            while relay.fetched < SIZE // 2 and process.poll() is None:
                time.sleep(0.005)
            process.kill()
        kept = operator.home / ".runs" / "rehearsal" / "transfer.jsonl"
        assert kept.stat().st_mode & 0o777 == 0o600
        if journal != "kept":
            kept.unlink()
        assert operator.inv(*step).code == 0
    assert relay.fetched < (1.1 if journal == "kept" else 1.6) * SIZE
    assert operator.inv(*step, "--check").code == 0
