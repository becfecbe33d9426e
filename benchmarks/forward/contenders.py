"""Forwarders as programs: each prints `PORT` as `127.0.0.1:PORT -> ...`, and forwards until it is ended.

python -m benchmarks.forward.contenders ours|client KUBECONFIG
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.forward.place import POD, PORT, SERVICE


def ours(kubeconfig: Path) -> None:
    """Forward as `inv forward` does."""
    from runbook.clients.kube.client import KubeClient
    from runbook.clients.kube.connection import by_kubeconfig
    from runbook.clients.kube.forward import forward

    client = KubeClient(by_kubeconfig([kubeconfig], None), kubeconfig.parent)
    with forward(client, "default", SERVICE, PORT, 0, lambda text: print(text, file=sys.stderr)) as opened:
        print(f"127.0.0.1:{opened.port} -> {PORT}", flush=True)
        time.sleep(3600)


def client(kubeconfig: Path) -> None:
    """Forward with the Python client's stream.portforward, one session a connection."""
    from kubernetes import config
    from kubernetes.client import CoreV1Api
    from kubernetes.stream import portforward

    loader: Any = config  # without types
    api = CoreV1Api(loader.new_client_from_config(config_file=str(kubeconfig)))
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"127.0.0.1:{listener.getsockname()[1]} -> {PORT}", flush=True)
    while True:
        connection, _ = listener.accept()

        def carry(local: socket.socket) -> None:
            with suppress(Exception), local:  # what fails shows in the count of answers
                session = portforward(
                    api.connect_get_namespaced_pod_portforward, POD, "default", ports=str(PORT)
                )
                remote = session.socket(PORT)
                threading.Thread(target=_pump, args=(local, remote), daemon=True).start()
                _pump(remote, local)

        threading.Thread(target=carry, args=(connection,), daemon=True).start()


def _pump(source: Any, sink: Any) -> None:
    with suppress(OSError):
        while data := source.recv(256 * 1024):
            sink.sendall(data)
    with suppress(OSError):
        sink.close()


if __name__ == "__main__":
    {"ours": ours, "client": client}[sys.argv[1]](Path(sys.argv[2]))
