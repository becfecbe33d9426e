"""What 4.3 and the clean-up wait for is watched: it is asked for once, and its end is seen at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runbook.clients.kube.objects import Reference
from tests.steps_kube.deployment_place import SERVER, SERVICE, TEMPLATES, Place

SECONDS = 3.0
HELD = {"metadata": {"finalizers": ["example.com/held"]}}


@contextmanager
def later(place: Place, reference: Reference, patch: dict[str, object]) -> Iterator[list[float]]:
    """Change an object some seconds later, as somebody else would; note when."""
    done: list[float] = []

    def beside() -> None:
        time.sleep(SECONDS)
        place.patch(reference, patch)
        done.append(time.monotonic())

    thread = threading.Thread(target=beside, daemon=True)
    thread.start()
    yield done
    thread.join()


def looks(place: Place, of: str) -> int:
    """Count the reads of some kind that were no watches."""
    asked = place.cloud.logged(api="kubernetes", method="GET")
    return len([entry for entry in asked if of in entry["path"] and "watch=true" not in entry["path"]])


def test_an_object_that_is_held_is_watched_until_it_goes(place: Place) -> None:
    stopped = place.with_settings("server.replicas=0")
    stopped.deploy()
    place.patch(SERVICE, HELD)
    place.cloud.control("DELETE", "requests")
    with later(place, SERVICE, {"metadata": {"finalizers": None}}) as released:
        outcome = stopped.apply("kube.absent", **TEMPLATES)
        # what comes after it, claim and volume, takes a moment too
        seconds = time.monotonic() - released[0]
    assert outcome.error is None, outcome.error
    assert "waiting for service/vllm-service" in stopped.voice.conditions
    assert seconds < 2
    assert looks(place, "/services") <= 4, "found by its labels, and listed once to be watched"


def test_an_address_is_watched_until_it_comes(place: Place) -> None:
    exposed = place.with_settings("server.replicas=0", "server.expose=internal")
    place.cloud.control("PUT", "settings", {"time_scale": SECONDS / 45})
    place.cloud.control("DELETE", "requests")
    try:
        outcome = exposed.apply("kube.apply", **SERVER)
    finally:
        place.cloud.control("PUT", "settings", {"time_scale": 0})
    assert outcome.error is None, outcome.error
    assert any("has no address yet" in told for told in exposed.voice.conditions)
    assert looks(place, "/services") <= 5
    assert looks(place, "/events") == 1
