"""The objects of a cluster: versions, generations, finalizers, and what outlives the process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.documents import Database
from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import AlreadyExists, Conflict, Gone, Store

DEPLOYMENT = kind_of("Deployment")


def _deployment(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "vllm-tpu", "namespace": "default"}, "spec": {"replicas": 1, **spec}}


def test_objects_outlive_the_process_with_their_versions(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    store = Store(database.collection("cluster"))
    kept = store.create(DEPLOYMENT, _deployment())
    gone = store.create(DEPLOYMENT, {"metadata": {"name": "b", "namespace": "default"}})
    store.delete(DEPLOYMENT, "default", gone["metadata"]["name"])
    version = store.resource_version
    database.close()

    database = Database(tmp_path / "state.db")
    again = Store(database.collection("cluster"))
    assert again.list(DEPLOYMENT) == [kept]
    assert again.resource_version == version
    with pytest.raises(Gone):
        again.since(version - 1)
    database.close()


def test_only_the_desired_state_counts_as_a_generation() -> None:
    store = Store({})
    live = store.create(DEPLOYMENT, _deployment())
    live["metadata"]["labels"] = {"a": "b"}
    live = store.update(DEPLOYMENT, live)
    live["status"] = {"replicas": 1}
    live = store.update(DEPLOYMENT, live, status_only=True)
    assert live["metadata"]["generation"] == 1
    live["spec"]["replicas"] = 2
    assert store.update(DEPLOYMENT, live)["metadata"]["generation"] == 2


def test_a_write_that_changes_nothing_is_no_event() -> None:
    store = Store({})
    live = store.create(DEPLOYMENT, _deployment())
    events = store.subscribe()
    assert store.update(DEPLOYMENT, live) == live
    assert events.empty()


def test_an_event_shows_the_object_before_and_after() -> None:
    store = Store({})
    live = store.create(DEPLOYMENT, _deployment())
    events = store.subscribe()
    live["spec"]["replicas"] = 2
    store.update(DEPLOYMENT, live)
    event = events.get_nowait()
    assert event.previous is not None
    assert (event.type, event.previous["spec"]["replicas"], event.object["spec"]["replicas"]) == (
        "MODIFIED",
        1,
        2,
    )


def test_what_is_handed_out_is_a_copy() -> None:
    store = Store({})
    live = store.create(DEPLOYMENT, _deployment())
    live["spec"]["replicas"] = 9
    assert store.list(DEPLOYMENT)[0]["spec"]["replicas"] == 1


def test_a_stale_writer_is_told_so() -> None:
    store = Store({})
    stale = store.create(DEPLOYMENT, _deployment())
    store.update(DEPLOYMENT, {**stale, "spec": {"replicas": 2}})
    with pytest.raises(Conflict):
        store.update(DEPLOYMENT, {**stale, "spec": {"replicas": 3}})
    with pytest.raises(AlreadyExists):
        store.create(DEPLOYMENT, _deployment())


def test_the_last_finalizer_gone_removes_a_deleted_object() -> None:
    store = Store({})
    claim = kind_of("PersistentVolumeClaim")
    store.create(claim, {"metadata": {"name": "c", "namespace": "default", "finalizers": ["a/b"]}})
    events = store.subscribe()
    marked = store.delete(claim, "default", "c")
    marked["metadata"]["finalizers"] = []
    store.update(claim, marked)
    assert store.get(claim, "default", "c") is None
    assert [events.get_nowait().type for _ in range(2)] == ["MODIFIED", "DELETED"]


def test_a_dry_run_keeps_nothing() -> None:
    store = Store({})
    store.create(DEPLOYMENT, _deployment(), dry_run=True)
    assert store.list(DEPLOYMENT) == []
    live = store.create(DEPLOYMENT, _deployment())
    planned = store.update(DEPLOYMENT, {**live, "spec": {"replicas": 2}}, dry_run=True)
    assert planned["metadata"]["generation"] == 2
    assert store.get(DEPLOYMENT, "default", "vllm-tpu") == live
