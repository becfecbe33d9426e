"""Port-forwarding, by the Python client's channels and by kubectl's SPDY tunnel."""

from __future__ import annotations

import re
import socket
import subprocess
from typing import Any

import pytest

from rehearsal.kube.api.kinds import kind_of


@pytest.fixture(autouse=True)
def _pod(cluster: Any) -> None:
    pod = {
        "metadata": {"name": "server", "namespace": "default", "labels": {"app": "vllm-tpu"}},
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "main", "image": "x:1", "ports": [{"containerPort": 8000}]}],
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    cluster.call(cluster.store.create, kind_of("Pod"), pod)


def _forward(cluster: Any, port: int) -> Any:
    from kubernetes import config
    from kubernetes.client import CoreV1Api
    from kubernetes.stream import portforward

    api = CoreV1Api(config.new_client_from_config(config_file=str(cluster.kubeconfig)))
    return portforward(api.connect_get_namespaced_pod_portforward, "server", "default", ports=str(port))


def test_the_python_client_reaches_a_port(cluster: Any) -> None:
    forwarded = _forward(cluster, 8000)
    connection = forwarded.socket(8000)
    connection.sendall(b"hello\n")
    assert connection.recv(100) == b"HELLO\n"
    connection.close()


def test_a_port_where_nothing_listens_is_an_error_of_that_port(cluster: Any) -> None:
    forwarded = _forward(cluster, 9999)
    assert forwarded.socket(9999).recv(100) == b""
    assert "connect: connection refused" in forwarded.error(9999)
    forwarded.close()


@pytest.mark.clients
def test_kubectl_carries_several_connections(cluster: Any) -> None:
    command = cluster.kubectl_command("port-forward", "pod/server", ":8000", "--address=127.0.0.1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as kubectl:
        try:
            assert kubectl.stdout is not None
            match = re.search(r"127\.0\.0\.1:(\d+) -> 8000", kubectl.stdout.readline())
            assert match is not None
            for text in (b"first\n", b"second\n", b"x" * 300_000 + b"\n"):
                assert _ask(int(match[1]), text) == text.upper()
        finally:
            kubectl.terminate()


def _ask(port: int, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.clients
def test_kubectl_forwards_a_services_port(cluster: Any) -> None:
    service = {
        "metadata": {"name": "vllm-service", "namespace": "default"},
        "spec": {"selector": {"app": "vllm-tpu"}, "ports": [{"port": 80, "targetPort": 8000}]},
    }
    cluster.call(cluster.store.create, kind_of("Service"), service)
    command = cluster.kubectl_command("port-forward", "service/vllm-service", ":80", "--address=127.0.0.1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as kubectl:
        try:
            assert kubectl.stdout is not None
            match = re.search(r"127\.0\.0\.1:(\d+) -> 8000", kubectl.stdout.readline())
            assert match is not None
            assert _ask(int(match[1]), b"ok\n") == b"OK\n"
        finally:
            kubectl.terminate()


@pytest.mark.clients
def test_kubectl_says_that_nothing_listens(cluster: Any) -> None:
    command = cluster.kubectl_command("port-forward", "pod/server", ":9999", "--address=127.0.0.1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as kubectl:
        assert kubectl.stdout is not None
        match = re.search(r"127\.0\.0\.1:(\d+) -> 9999", kubectl.stdout.readline())
        assert match is not None
        assert _ask(int(match[1]), b"x\n") == b""
        kubectl.terminate()
        assert kubectl.stderr is not None
        assert "connection refused" in kubectl.stderr.read()


@pytest.mark.clients
def test_kubectl_runs_a_command(cluster: Any) -> None:
    assert cluster.kubectl("exec", "server", "--", "echo", "a").stdout == "echo a\n"
    failed = cluster.kubectl("exec", "server", "--", "false", check=False)
    assert failed.returncode == 3
    assert "no" in failed.stderr
