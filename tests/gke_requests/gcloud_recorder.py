"""The real gcloud, pointed at a server that only writes down what it is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

Seen = tuple[str, str, Any]
"""Method, path and body of a write."""

CLUSTER = {
    "endpoint": "34.1.2.3",
    "masterAuth": {"clusterCaCertificate": "bm9uZQ=="},
    "nodePools": [{"name": "tpus", "initialNodeCount": 1}],
}
"""What the recorder says of any cluster, beside its name: the certificate is `none`."""

POLICY: dict[str, Any] = {
    "etag": "CAE=",
    "bindings": [
        {"role": "roles/storage.legacyBucketReader", "members": ["projectViewer:my-project"]},
        {
            "role": "roles/storage.objectUser",
            "members": ["user:somebody@example.com", "user:other@example.com"],
        },
    ],
}
"""What the recorder says of any bucket's IAM policy."""


class _Handler(BaseHTTPRequestHandler):
    server: _Recorder

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.partition("?")[0]
        if self.command != "GET":
            self.server.seen.append((self.command, path, body))
            self.server.queries.append(dict(parse_qsl(self.path.partition("?")[2])))
        answer = json.dumps(self._document(path)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _document(self, path: str) -> dict[str, Any]:
        if path.endswith("/iam"):
            return POLICY
        if "/storage/v1/" in path:
            return {"kind": "storage#bucket", "name": path.rpartition("/")[2]}
        if "/services/" in path:
            return {"name": path, "state": "ENABLED"}
        if self.command != "GET" or "/operations/" in path:
            return {"name": "operation-1", "status": "DONE"}
        return {
            "name": path.rpartition("/")[2],
            "status": "RUNNING",
            "zone": "us-central1",
            **CLUSTER,
        }

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


class _Recorder(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[Seen] = []
        self.queries: list[dict[str, str]] = []


@dataclass
class Gcloud:
    """The real gcloud; `sent` runs a command and tells its writes."""

    recorder: _Recorder
    environment: dict[str, str] = field(repr=False)

    def sent(self, argv: Sequence[str]) -> list[Seen]:
        """Run a command to its end; give method, path and body of every write that it sent."""
        self.recorder.seen.clear()
        self.recorder.queries.clear()
        done = subprocess.run(
            argv, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return list(self.recorder.seen)

    @property
    def queries(self) -> list[dict[str, str]]:
        """The queries of the last command's writes."""
        return list(self.recorder.queries)


def gcloud_program() -> str | None:
    """Find the real gcloud; None where this machine has none."""
    return os.environ.get("RUNBOOK_TEST_GCLOUD") or shutil.which("gcloud")


@contextmanager
def recorded_gcloud(home: Path) -> Iterator[Gcloud]:
    """Open a server that only writes down what it is asked, and a gcloud that talks to nothing else.

    Args:
        home: an empty folder, instead of the operator's own.
    """
    recorder = _Recorder()
    thread = threading.Thread(target=recorder.serve_forever, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{recorder.server_address[1]}/"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDSDK_")} | {
        "HOME": str(home),
        "KUBECONFIG": str(home / "kubeconfig"),
        "CLOUDSDK_CONFIG": str(home / "config"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "1",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER": base,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE": base,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{base}storage/v1/",
    }
    yield Gcloud(recorder, environment)
    recorder.shutdown()
    recorder.server_close()
    thread.join()
