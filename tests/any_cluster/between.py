"""What stands between a client and the stand-in's API server: a guard that asks for certificates, a proxy."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

import trustme

from tests.any_cluster.by_hand import Handwritten


class Between:
    """Accepts connections on loopback, each in a thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near: socket.socket) -> None:
        """Serve one connection."""
        raise NotImplementedError


class Guarded(Between):
    """Lets only those through who present a certificate; their requests go on to the API server.

    Args:
        written: whose cluster it stands before.
        authority: signs the certificates that are let through.
    """

    def __init__(self, written: Handwritten, authority: trustme.CA) -> None:
        super().__init__()
        self._to = urlsplit(written.cluster["server"])
        self._onward = ssl.create_default_context(cadata=written.authority.decode())
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(self._tls)
        own = trustme.CA()
        own.issue_cert("127.0.0.1").configure_cert(self._tls)
        self.cluster = {
            "server": f"https://127.0.0.1:{self.port}",
            "certificate_authority_data": base64.b64encode(own.cert_pem.bytes()).decode(),
        }
        self.subjects: set[str] = set()

    def serve(self, near: socket.socket) -> None:
        """Look at the certificate, then carry."""
        guest = self._tls.wrap_socket(near, server_side=True, do_handshake_on_connect=False)
        try:
            guest.do_handshake()
        except OSError:
            guest.close()
            return
        names = (guest.getpeercert() or {}).get("subjectAltName", ())
        self.subjects |= {str(name[1]) for name in names}
        far = socket.create_connection((str(self._to.hostname), int(self._to.port or 443)))
        carry(guest, self._onward.wrap_socket(far, server_hostname="127.0.0.1"))


class Proxy(Between):
    """A proxy by CONNECT that notes who asked for what."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()
        self.logins: set[str] = set()

    def serve(self, near: socket.socket) -> None:
        """Connect, then carry."""
        request = b""
        while b"\r\n\r\n" not in request:
            request += near.recv(4096)
        first, *headers = request.decode().split("\r\n")
        self.asked.add(first)
        for header in headers:
            name, _, value = header.partition(": ")
            if name.lower() == "proxy-authorization":
                self.logins.add(base64.b64decode(value.removeprefix("Basic ")).decode())
        host, _, port = first.split(" ")[1].rpartition(":")
        far = socket.create_connection((host, int(port)))
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        carry(near, far)


def carry(near: socket.socket, far: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""

    def one_way(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    with near, far:
        back = threading.Thread(target=one_way, args=(far, near), daemon=True)
        back.start()
        one_way(near, far)
        back.join()
