"""Watches, as the Python client and controllers use them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from rehearsal.kube.api.kinds import kind_of


def _config_map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default", "labels": labels}, "data": {"a": "1"}}


def _resource(client: Any) -> Any:
    return client.resources.get(api_version="v1", kind="ConfigMap")


def _seen(events: Any) -> list[tuple[str, str]]:
    return [(event["type"], event["object"].metadata.name) for event in events]


def test_a_watch_without_a_version_begins_with_what_is_there(client: Any) -> None:
    _resource(client).create(_config_map("a"))
    assert _seen(_resource(client).watch(namespace="default", timeout=1)) == [("ADDED", "a")]


def test_a_watch_goes_on_from_a_lists_version(client: Any) -> None:
    resource = _resource(client)
    resource.create(_config_map("a"))
    version = resource.get(namespace="default").metadata.resourceVersion
    resource.patch(
        name="a", namespace="default", body={"data": {"a": "2"}}, content_type="application/merge-patch+json"
    )
    resource.create(_config_map("b"))
    resource.delete("b", "default")
    events = resource.watch(namespace="default", resource_version=version, timeout=1)
    assert _seen(events) == [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "b")]


def test_an_object_leaves_a_selection_as_deleted(client: Any) -> None:
    resource = _resource(client)
    resource.create(_config_map("a", colour="red"))
    version = resource.get(namespace="default").metadata.resourceVersion
    resource.patch(
        name="a",
        namespace="default",
        body={"metadata": {"labels": {"colour": "blue"}}},
        content_type="application/merge-patch+json",
    )
    events = resource.watch(
        namespace="default", label_selector="colour=red", resource_version=version, timeout=1
    )
    assert _seen(events) == [("DELETED", "a")]


def test_changes_arrive_while_watching(client: Any) -> None:
    resource = _resource(client)
    creation = threading.Timer(0.3, lambda: resource.create(_config_map("late")))
    creation.start()
    for event in resource.watch(namespace="default", name="late", timeout=10):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "late")
        break
    else:
        pytest.fail("the change did not arrive")
    creation.join()


def test_a_watch_of_one_name_does_not_see_others(client: Any) -> None:
    _resource(client).create(_config_map("a"))
    _resource(client).create(_config_map("b"))
    assert _seen(_resource(client).watch(namespace="default", name="b", timeout=1)) == [("ADDED", "b")]


def test_a_version_that_is_forgotten_must_be_listed_again(cluster: Any, client: Any) -> None:
    from kubernetes.client.exceptions import ApiException

    resource = _resource(client)
    resource.create(_config_map("a"))

    def write_often() -> None:
        for turn in range(2100):
            obj = cluster.store.get(kind_of("ConfigMap"), "default", "a")
            obj["data"]["a"] = str(turn)
            cluster.store.update(kind_of("ConfigMap"), obj)

    cluster.call(write_often)
    with pytest.raises(ApiException) as refused:
        list(resource.watch(namespace="default", resource_version="1", timeout=2))
    assert refused.value.status == 410


def test_bookmarks_tell_how_far_a_watch_has_come(cluster: Any, client: Any) -> None:
    events = list(_resource(client).watch(namespace="default", timeout=1, allow_watch_bookmarks=True))
    assert events[-1]["type"] == "BOOKMARK"
    assert int(events[-1]["raw_object"]["metadata"]["resourceVersion"]) == cluster.store.resource_version
