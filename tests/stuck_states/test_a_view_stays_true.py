"""What a view tells is what is there, whatever becomes of its connections and of the API server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.watching import View, viewing
from tests.steps_kube.deployment_place import Place
from tests.stuck_states.by_hand import until
from tests.stuck_states.relay import Relay

LABELS = {"watched": "true"}


@dataclass(frozen=True)
class Watched:
    """ConfigMaps that a view watches through a relay, and that are written past it.

    Args:
        view: of them.
        relay: what the view's connections go through.
        cluster: the same, without the relay.
    """

    place: Place
    view: View
    relay: Relay
    cluster: KubeClient

    def told(self) -> dict[str, str]:
        """Names and content, as the view has them."""
        return {
            item["metadata"]["name"]: item["data"]["value"]
            for item in self.view.list("v1", "ConfigMap", "default", labels=LABELS)
        }

    def write(self, name: str, value: str) -> None:
        write(self.cluster, name, value)

    def delete(self, name: str) -> None:
        self.cluster.delete(Reference("v1", "ConfigMap", "default", name))

    def lists(self) -> int:
        """Count how often the ConfigMaps were listed since the requests were forgotten."""
        asked = self.place.cloud.logged(api="kubernetes", method="GET")
        of_them = [entry["path"] for entry in asked if "/configmaps?" in entry["path"]]
        return sum("watch=true" not in path for path in of_them)


def write(cluster: KubeClient, name: str, value: str) -> None:
    metadata = {"name": name, "namespace": "default", "labels": LABELS}
    item: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}
    cluster.apply(item, field_manager="somebody", force=True)


@pytest.fixture
def watched(prepared: Place) -> Iterator[Watched]:
    """A view of one ConfigMap, which has been listed, and is being watched."""
    with prepared.cluster() as cluster:
        write(cluster, "first", "1")
        with (
            Relay(cluster.server.removeprefix("https://")) as relay,
            prepared.cluster(relay.endpoint) as through,
            viewing(through) as view,
        ):
            found = Watched(prepared, view, relay, cluster)
            assert found.told() == {"first": "1"}
            found.write("first", "2")
            until(lambda: found.told() == {"first": "2"})
            prepared.cloud.control("DELETE", "requests")
            yield found
    with prepared.cluster() as cluster:
        for item in cluster.list("v1", "ConfigMap", "default", labels=LABELS):
            cluster.delete(Reference.to(item))


def test_connections_that_are_cut_cost_nothing_that_happened(watched: Watched) -> None:
    wanted, cut = {"first": "2"}, 0
    for number in range(20):
        watched.write(f"item-{number}", "1")
        cut += watched.relay.cut()
        watched.write("first", str(number))
        wanted |= {f"item-{number}": "1", "first": str(number)}
        time.sleep(0.1)
    watched.delete("item-0")
    del wanted["item-0"]
    until(lambda: watched.told() == wanted)
    assert cut >= 3, "too few connections were cut for this to say anything"
    assert watched.lists() == 0, "each watch goes on from where the one before was"


def test_an_api_server_that_refuses_connections_is_told_and_waited_for(watched: Watched) -> None:
    watched.relay.leave()
    watched.write("second", "1")
    watched.delete("first")
    until(lambda: watched.view.trouble)
    assert watched.told() == {"first": "2"}
    watched.relay.come_back()
    back = time.monotonic()
    until(lambda: watched.told() == {"second": "1"})
    assert time.monotonic() - back < 5.5, "the longest pause between two tries is five seconds"
    until(lambda: not watched.view.trouble)
    assert watched.lists() == 0


def restart(watched: Watched) -> None:
    """Restart the API server, which has then forgotten what happened before."""
    watched.place.cloud.down()
    watched.place.cloud.up()
    watched.place.cloud.control("DELETE", "requests")


@pytest.mark.parametrize("changes", [0, 3])
def test_a_version_that_the_api_server_forgot_is_listed_anew(watched: Watched, changes: int) -> None:
    wanted = {"first": "2"}
    watched.relay.leave()
    for number in range(changes):
        watched.write(f"item-{number}", "1")
        wanted[f"item-{number}"] = "1"
    restart(watched)
    watched.relay.come_back()
    watched.write("last", "1")
    until(lambda: watched.told() == {**wanted, "last": "1"})
    assert watched.lists() == bool(changes), "it forgot what was before its start: an ERROR event 410"
