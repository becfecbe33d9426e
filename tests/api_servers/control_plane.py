"""A real etcd and a real kube-apiserver on loopback, as controller-runtime's envtest starts them.

https://book.kubebuilder.io/reference/envtest: the programs lie in the folder KUBEBUILDER_ASSETS.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
import trustme
from requests.exceptions import RequestException

from tests.rehearsal.stand_in import eventually

USUAL_FOLDER: Final = "/usr/local/kubebuilder/bin"
STARTING_SECONDS: Final = 60
ENDING_SECONDS: Final = 20
WITHOUT_CONTROLLERS: Final = "ServiceAccount,StorageObjectInUseProtection"
"""Admission that waits for what only a controller makes, or adds what only a controller takes away."""


def program(name: str) -> str | None:
    """Find one of envtest's programs; etcd may also be the system's own."""
    assets = os.environ.get("KUBEBUILDER_ASSETS") or USUAL_FOLDER
    return shutil.which(name, path=assets) or (shutil.which(name) if name == "etcd" else None)


class Server:
    """A program that serves until it is ended.

    Args:
        command: its argv.
        log: file of what it says.
    """

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def await_answer(self, url: str, trust: str | None = None, login: tuple[str, str] | None = None) -> None:
        """Wait until an address answers well; with its log where it ends instead."""

        def answers() -> bool:
            assert self._process.poll() is None, self._log.read_text()[-4000:]
            try:
                return requests.get(url, verify=trust, cert=login, timeout=5).ok
            except RequestException:
                return False

        eventually(answers, STARTING_SECONDS)


class Etcd:
    """A real etcd with an empty store.

    Args:
        folder: of its files.
        command: the program.
    """

    def __init__(self, folder: Path, command: str) -> None:
        clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.url = clients
        self._server = Server(
            [
                command,
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={clients}",
                f"--advertise-client-urls={clients}",
                f"--listen-peer-urls={peers}",
                f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}",
            ],
            folder / "etcd.log",
        )
        self._server.await_answer(f"{clients}/health")

    def end(self) -> None:
        """End it."""
        self._server.end()


@dataclass(frozen=True)
class Certificates:
    """What the API server shows and asks for, made on the fly.

    Args:
        folder: of the files; the administrator's is system:masters, whom RBAC lets do everything.
    """

    folder: Path

    def write(self) -> None:
        """Write them all."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.path("ca.pem"))
        server = authority.issue_cert("127.0.0.1", "localhost", "kubernetes.default.svc")
        self._pair("server", server)
        admin = authority.issue_cert("admin@test", common_name="admin", organization_name="system:masters")
        self._pair("admin", admin)
        trustme.CA().private_key_pem.write_to_path(self.path("accounts.key"))

    def path(self, name: str) -> str:
        """Give a file's path."""
        return str(self.folder / name)

    def _pair(self, name: str, issued: trustme.LeafCert) -> None:
        issued.cert_chain_pems[0].write_to_path(self.path(f"{name}.pem"))
        issued.private_key_pem.write_to_path(self.path(f"{name}.key"))


class ControlPlane:
    """A real API server; there are no controllers, no scheduler and no nodes.

    Args:
        folder: of its files.
        etcd: the program.
        apiserver: the program.
    """

    def __init__(self, folder: Path, etcd: str, apiserver: str) -> None:
        self._opened = ExitStack()
        self._certificates = Certificates(folder)
        self._certificates.write()
        self.url = f"https://127.0.0.1:{free_port()}"
        self.kubeconfig = folder / "kubeconfig.json"
        with ExitStack() as undo:
            store = Etcd(folder, etcd)
            undo.callback(store.end)
            server = Server([apiserver, *self._flags(store.url)], folder / "apiserver.log")
            undo.callback(server.end)
            path = self._certificates.path
            server.await_answer(f"{self.url}/readyz", path("ca.pem"), (path("admin.pem"), path("admin.key")))
            self._opened = undo.pop_all()
        self._write_kubeconfig()

    def stop(self) -> None:
        """End both."""
        self._opened.close()

    def _flags(self, store: str) -> list[str]:
        path = self._certificates.path
        return [
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.url.rpartition(':')[2]}",
            f"--etcd-servers={store}",
            f"--tls-cert-file={path('server.pem')}",
            f"--tls-private-key-file={path('server.key')}",
            f"--client-ca-file={path('ca.pem')}",
            "--authorization-mode=RBAC",
            f"--service-account-issuer={self.url}/",
            f"--service-account-key-file={path('accounts.key')}",
            f"--service-account-signing-key-file={path('accounts.key')}",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--disable-admission-plugins={WITHOUT_CONTROLLERS}",
            "--allow-privileged=true",
        ]

    def _write_kubeconfig(self) -> None:
        path = self._certificates.path
        user = {"client-certificate": path("admin.pem"), "client-key": path("admin.key")}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "real", "cluster": {"server": self.url, "certificate-authority": path("ca.pem")}}
            ],
            "users": [{"name": "real", "user": user}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "real"}}],
            "current-context": "real",
        }
        self.kubeconfig.write_text(json.dumps(content))


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
