"""A rollout is followed to its end through watches that are cut, refused, forgotten and broken off."""

from __future__ import annotations

import time

import pytest

from tests.steps_kube.deployment_place import SERVER, Place

KINDS: tuple[dict[str, object], ...] = (
    {"kind": "reset"},
    {"kind": "status", "status": 410, "message": "too old resource version"},
    {"kind": "truncate", "bytes": 40},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 500},
)


def interrupted(place: Place, times: int, time_scale: float) -> int:
    """Deploy while watches are interrupted; give how many were."""
    place.cloud.control("DELETE", "faults")
    each = times // len(KINDS)
    for number, kind in enumerate(KINDS):
        strikes = {"after": number * each, "times": each}
        fault = {"api": "kubernetes", "path": "watch=true", **strikes, **kind}
        place.cloud.control("POST", "faults", fault)
    place.cloud.control("PUT", "settings", {"time_scale": time_scale, "latency_ms": 0})
    try:
        outcome = place.apply("kube.apply", **SERVER)
        faults = place.cloud.control("GET", "faults")
    finally:
        place.cloud.control("DELETE", "faults")
        place.cloud.control("PUT", "settings", {"time_scale": 0, "latency_ms": 0})
    assert outcome.error is None, outcome.error
    return sum(min(max(fault["seen"] - fault["after"], 0), fault["times"]) for fault in faults)


def test_ten_interruptions_do_not_change_how_a_wait_ends(place: Place) -> None:
    assert interrupted(place, 10, 0.02) == 10


@pytest.mark.slow
def test_two_hundred_interruptions_do_not_change_how_a_wait_ends(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.monotonic()
    struck = interrupted(place, 200, 0.15)
    with capsys.disabled():
        print(f"\n{struck} interruptions in {time.monotonic() - begun:.0f} s")
    assert struck == 200
