"""Containers' logs over HTTP: the end of them, what comes, and what is refused."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from kubernetes.dynamic import exceptions

from rehearsal.kube.api.kinds import kind_of


def _start_pod(cluster: Any, *containers: str, state: dict[str, Any] | None = None) -> None:
    names = containers or ("main",)
    pod = {
        "metadata": {"name": "server", "namespace": "default"},
        "spec": {"nodeName": "node-1", "containers": [{"name": name, "image": "x:1"} for name in names]},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {"name": name, "restartCount": 0, "state": state or {"running": {}}} for name in names
            ],
        },
    }
    cluster.call(cluster.store.create, kind_of("Pod"), pod)


def _end_pod(cluster: Any) -> None:
    pod = cluster.store.get(kind_of("Pod"), "default", "server")
    for status in pod["status"]["containerStatuses"]:
        status["state"] = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    cluster.call(cluster.store.update, kind_of("Pod"), pod)


def _write(cluster: Any, text: str, container: str = "main", *, previous: bool = False) -> None:
    with cluster.pods.log_path("default", "server", container, previous).open("a") as file:
        file.write(text)


def _message(error: Any) -> str:
    message: str = json.loads(error.body)["message"]
    return message


def _logs(client: Any, **query: str) -> str:
    text: str = client.request(
        "get",
        "/api/v1/namespaces/default/pods/server/log",
        query_params=list(query.items()),
        serializer=lambda _, data: data,
    )
    return text


def test_a_log_is_read_whole_or_from_its_end(cluster: Any, client: Any) -> None:
    _start_pod(cluster)
    _write(cluster, "one\ntwo\nthree\n")
    assert _logs(client) == "one\ntwo\nthree\n"
    assert _logs(client, tailLines="2") == "two\nthree\n"
    assert _logs(client, tailLines="0") == ""
    assert _logs(client, limitBytes="5") == "one\nt"


def test_timestamps_come_before_each_line(cluster: Any, client: Any) -> None:
    _start_pod(cluster)
    _write(cluster, "one\n")
    moment, text = _logs(client, timestamps="true").split(" ", 1)
    assert text == "one\n"
    assert moment.startswith("20")
    assert moment.endswith("Z")


def test_older_lines_are_left_out(cluster: Any, client: Any) -> None:
    _start_pod(cluster)
    _write(cluster, "early\n")
    time.sleep(3.2)
    _write(cluster, "late\n")
    assert _logs(client, sinceSeconds="2") == "late\n"
    assert _logs(client, sinceSeconds="60") == "early\nlate\n"


def test_a_container_must_be_chosen_where_there_are_several(cluster: Any, client: Any) -> None:
    _start_pod(cluster, "main", "sidecar")
    _write(cluster, "s\n", "sidecar")
    assert _logs(client, container="sidecar") == "s\n"
    with pytest.raises(exceptions.BadRequestError) as refused:
        _logs(client)
    assert "a container name must be specified for pod server" in _message(refused.value)


def test_a_waiting_container_has_no_log(cluster: Any, client: Any) -> None:
    _start_pod(cluster, state={"waiting": {"reason": "ContainerCreating"}})
    with pytest.raises(exceptions.BadRequestError) as refused:
        _logs(client)
    assert _message(refused.value) == (
        'container "main" in pod "server" is waiting to start: ContainerCreating'
    )


def test_the_log_before_a_restart_is_refused_where_there_was_none(cluster: Any, client: Any) -> None:
    _start_pod(cluster)
    with pytest.raises(exceptions.BadRequestError) as refused:
        _logs(client, previous="true")
    assert "previous terminated container" in _message(refused.value)


@pytest.mark.clients
def test_kubectl_follows_a_log_until_the_container_ends(cluster: Any) -> None:
    _start_pod(cluster)
    _write(cluster, "Waiting for application startup.\n")

    def finish_startup() -> None:
        _write(cluster, "Application startup complete.\n")
        _end_pod(cluster)

    finish = threading.Timer(0.5, finish_startup)
    finish.start()
    followed = cluster.kubectl("logs", "-f", "pod/server")
    finish.join()
    assert followed.stdout == "Waiting for application startup.\nApplication startup complete.\n"


def test_following_ends_when_the_pod_is_deleted(cluster: Any, client: Any) -> None:
    _start_pod(cluster)
    _write(cluster, "a\n")
    deletion = threading.Timer(
        0.3, lambda: cluster.call(cluster.store.delete, kind_of("Pod"), "default", "server")
    )
    deletion.start()
    started = time.monotonic()
    assert _logs(client, follow="true") == "a\n"
    assert time.monotonic() - started < 30
    deletion.join()
