"""The stand-in of the cloud, seen from outside: its process, and the control API that steers it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.engine.errors import FailedError, Place, RefusedError

TIMEOUT_S = 30.0
KEPT_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")


@dataclass(frozen=True)
class StandIn:
    """The stand-in of one home folder.

    Args:
        home: the folder that holds .rehearsal/ (RUNBOOK_HOME).
        root: the folder that holds the package `rehearsal`.
    """

    home: Path
    root: Path

    @property
    def folder(self) -> Path:
        """Where its state lives."""
        return self.home / ".rehearsal"

    @property
    def endpoints(self) -> dict[str, Any] | None:
        """What it published when it came up; None where it is down."""
        try:
            published: dict[str, Any] = json.loads((self.folder / "endpoints.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return published

    @property
    def outdated(self) -> bool:
        """Whether the code is newer than the process that runs, as after `git pull`."""
        try:
            came_up = (self.folder / "endpoints.json").stat().st_mtime
        except FileNotFoundError:
            return False
        return any(file.stat().st_mtime > came_up for file in (self.root / "rehearsal").rglob("*.py"))

    def up(self) -> None:
        """Start it, unless it runs.

        Raises:
            FailedError: it did not come up.
        """
        self._process("up")

    def down(self) -> None:
        """Stop it; what it was told is kept."""
        self._process("down")

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request to the control API; a stand-in that is down is started first.

        Args:
            method: GET, PUT, POST or DELETE.
            path: below /_rehearsal/, such as `settings`.
            body: sent as JSON.

        Raises:
            RefusedError: it does not know that, or the body is wrong.
            FailedError: it does not answer.
        """
        try:
            return self._send(method, path, body)
        except (FileNotFoundError, ValueError, urllib.error.URLError) as error:
            if isinstance(error, urllib.error.HTTPError):
                raise self._refused(error) from error
        self.up()
        try:
            return self._send(method, path, body)
        except urllib.error.HTTPError as error:
            raise self._refused(error) from error
        except urllib.error.URLError as error:
            raise FailedError(f"the rehearsal does not answer: {error.reason}", remedy=self._look) from error

    @property
    def _look(self) -> str:
        return f"see {self.folder / 'log'}, or start afresh: inv rehearsal.down rehearsal.up"

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        endpoints = json.loads((self.folder / "endpoints.json").read_text())
        request = urllib.request.Request(  # noqa: S310 - always http on loopback
            f"{endpoints['google']}/_rehearsal/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {Path(endpoints['token_file']).read_text().strip()}",
                "Content-Type": "application/json",
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def _refused(self, error: urllib.error.HTTPError) -> RefusedError:
        text = error.read().decode(errors="replace")
        try:
            text = json.loads(text)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            text = text.strip() or str(error.reason)
        return RefusedError(text, place=Place(f"{error.code} {error.url}"))

    def _process(self, verb: str) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "rehearsal", verb, "--home", str(self.folder)],
            cwd=self.root,
            env=_without_secrets(),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
            raise FailedError(f"the rehearsal: {verb}: {' '.join(last)}", remedy=self._look)


def _without_secrets() -> dict[str, str]:
    """The environment that the stand-in keeps for life: nothing in it that is only this line's."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in KEPT_ENVIRONMENT or name.startswith("REHEARSAL_")
    }
