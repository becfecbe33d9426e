"""A whole stand-in in a folder of its own, as a process, asked over real sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[2]
LOCATION = "/v1/projects/demo-project/locations/us-central1"
CLUSTER = LOCATION + "/clusters/demo"


@dataclass
class StandIn:
    """One stand-in cloud.

    Args:
        home: its folder `.rehearsal`.
    """

    home: Path
    session: requests.Session = field(default_factory=requests.Session)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m rehearsal COMMAND`."""
        return subprocess.run(
            [sys.executable, "-m", "rehearsal", command, "--home", str(self.home)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self) -> None:
        """Start it."""
        ended = self.run("up")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", ""), (self.home / "log").read_text()

    def down(self) -> None:
        """Stop it."""
        assert self.run("down").returncode == 0

    def kill(self) -> None:
        """Kill it with -9."""
        os.kill(self.endpoints["pid"], signal.SIGKILL)
        eventually(lambda: '"pid": null' in self.run("status").stdout)

    @property
    def endpoints(self) -> dict[str, Any]:
        """What it published."""
        published: dict[str, Any] = json.loads((self.home / "endpoints.json").read_text())
        return published

    @property
    def token(self) -> str:
        """Its bearer token."""
        return Path(self.endpoints["token_file"]).read_text()

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Send a request to the google port."""
        return self.session.request(
            method,
            self.endpoints["google"] + path,
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )

    def get(self, path: str) -> Any:
        """Send a GET that must succeed, and return its body."""
        answer = self.ask("GET", path)
        assert answer.ok, answer.text
        return answer.json()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the control API that must succeed."""
        answer = self.ask(method, f"/_rehearsal/{path}", body)
        assert answer.ok, answer.text
        return answer.json()

    def logged(self, **wanted: Any) -> list[dict[str, Any]]:
        """List the requests that it got and that have these values."""
        found: list[dict[str, Any]] = self.control("GET", "requests")
        return [entry for entry in found if wanted.items() <= entry.items()]

    def create_cluster(self, **fields: Any) -> None:
        """Create the cluster CLUSTER with a workload pool, and wait until it runs."""
        pools = [{"name": "default-pool", "initialNodeCount": 1}]
        identity = {"workloadPool": "demo-project.svc.id.goog"}
        cluster = {"name": "demo", "nodePools": pools, "workloadIdentityConfig": identity} | fields
        self.wait(self.ask("POST", LOCATION + "/clusters", {"cluster": cluster}))

    def wait(self, started: requests.Response) -> dict[str, Any]:
        """Wait until the operation of an answer is done, and return it."""
        assert started.ok, started.text
        path = f"{LOCATION}/operations/{started.json()['name']}"
        eventually(lambda: self.get(path)["status"] == "DONE")
        done: dict[str, Any] = self.get(path)
        return done


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
