from __future__ import annotations

import time
from typing import Any

import requests

from tests.rehearsal.stand_in import StandIn

MADE = "rehearsal/made-2x4MiB"
SHARD = "model-00001-of-00001.safetensors"


def signed(stand_in: StandIn) -> str:
    url = f"{stand_in.endpoints['hub']}/{MADE}/resolve/main/{SHARD}"
    return requests.head(url, timeout=60).headers["Location"]


def listed(stand_in: StandIn) -> dict[str, Any]:
    url = f"{stand_in.endpoints['hub']}/api/models/{MADE}?blobs=true"
    found: dict[str, Any] = requests.get(url, timeout=60).json()
    return found


def test_an_address_can_be_used_as_long_as_the_setting_says(stand_in: StandIn) -> None:
    stand_in.control("PUT", "settings", {"hub_url_lifetime_s": 1})
    short = signed(stand_in)
    stand_in.control("PUT", "settings", {"hub_url_lifetime_s": 3600})
    long = signed(stand_in)
    assert requests.get(short, headers={"Range": "bytes=0-9"}, timeout=60).status_code == 206
    time.sleep(2.1)
    assert requests.get(short, headers={"Range": "bytes=10-19"}, timeout=60).status_code == 403
    assert requests.get(long, headers={"Range": "bytes=10-19"}, timeout=60).status_code == 206


def test_an_address_and_the_hashes_outlive_the_process_and_a_reset(stand_in: StandIn) -> None:
    before, address = listed(stand_in), signed(stand_in)
    stand_in.control("POST", "reset")
    stand_in.kill()
    stand_in.up()
    assert requests.get(address, timeout=60).status_code == 200
    assert listed(stand_in) == before


def test_made_weights_are_never_on_the_disk(stand_in: StandIn) -> None:
    requests.get(signed(stand_in), timeout=60)
    kept = sum(path.stat().st_size for path in (stand_in.home / "hub").rglob("*") if path.is_file())
    assert kept < 16 << 20
