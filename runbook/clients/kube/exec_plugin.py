"""Runs a kubeconfig's credential plug-in, by the protocol client.authentication.k8s.io (v1 and v1beta1).

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook.engine.errors import CredentialsError, Place

GROUP: Final = "client.authentication.k8s.io"
VERSIONS: Final = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
QUIET_SECONDS: Final = 60.0
ASKING_SECONDS: Final = 600.0
"""How long a plug-in may take: by itself, and where it asks somebody at a terminal."""
MOST_TOLD: Final = 600
_LOOK_SECONDS: Final = 0.1
_TOLD_AFTER_SECONDS: Final = 1.5
CHUNK: Final = 4096


def _unheard(text: str) -> None:
    """Nobody waits who could be told."""


@dataclass(frozen=True)
class Waiting:
    """How whoever needs a login waits for one that takes long.

    Args:
        tell: says in a line what is waited for.
        pause: waits for some seconds; raises where the operator ends the run.
    """

    tell: Callable[[str], None] = _unheard
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class ExecPlugin:
    """A credential plug-in.

    Args:
        spec: the user's `exec` section.
        cluster: what the plug-in may know of the cluster, as ExecCredential's spec.cluster has it.
        file: the kubeconfig file.
        waiting: while it runs.
    """

    spec: Mapping[str, Any]
    cluster: Mapping[str, Any]
    file: Path
    waiting: Waiting

    @property
    def place(self) -> Place:
        """Where the plug-in is named."""
        return Place.in_file(self.file)

    def run(self) -> dict[str, Any]:
        """Run it; give the status of its ExecCredential.

        Raises:
            CredentialsError: it is not there, it failed, or it answered something else.
        """
        interactive = self._interactive()
        program = self._program()
        environ = {
            **os.environ,
            **self._environment(),
            "KUBERNETES_EXEC_INFO": self._information(interactive),
        }
        command = [program, *self._arguments()]
        code, out, said = self._ran(command, environ, interactive)
        if code:
            raise self._failed(f"ended with exit code {code}: {said or 'it said nothing'}", self._hint())
        return self._status(out)

    @property
    def _name(self) -> str:
        return str(self.spec.get("command") or "")

    def _hint(self) -> str | None:
        return str(self.spec.get("installHint") or "").strip() or None

    def _failed(self, what: str, remedy: str | None = None) -> CredentialsError:
        return CredentialsError(
            f"the kubeconfig's login plug-in {self._name} {what}", place=self.place, remedy=remedy
        )

    def _interactive(self) -> bool:
        version, mode = self.spec.get("apiVersion"), self.spec.get("interactiveMode")
        if version not in VERSIONS:
            raise self._failed(f"speaks {version}", f"take a version of it that speaks {VERSIONS[0]}")
        if mode is None and version == VERSIONS[0]:
            raise self._failed("has no interactiveMode, which v1 demands", "set it to IfAvailable or Never")
        terminal = sys.stdin is not None and sys.stdin.isatty()
        match mode or "IfAvailable":
            case "Never":
                return False
            case "IfAvailable":
                return terminal
            case "Always" if terminal:
                return True
            case "Always":
                raise self._failed("asks somebody, and nobody is at a terminal", "run this at a terminal")
        raise self._failed(f"has the interactiveMode {mode}", "set it to Never, IfAvailable or Always")

    def _program(self) -> str:
        """Find the program; one with a folder in its name is seen from the kubeconfig file."""
        if not self._name:
            raise self._failed("has no command")
        path = self.file.parent / self._name if os.sep in self._name else self._name
        found = shutil.which(path)
        if found is None:
            where = "there" if os.sep in self._name else "on the PATH"
            raise CredentialsError(
                f"the kubeconfig's login needs {self._name}, which is not {where}",
                place=self.place,
                remedy=self._hint() or f"install {self._name}",
            )
        return found

    def _arguments(self) -> list[str]:
        given = self.spec.get("args") or []
        if not isinstance(given, list):
            raise self._failed("has args that are not a list")
        return [str(word) for word in given]

    def _environment(self) -> dict[str, str]:
        try:
            return {str(item["name"]): str(item["value"]) for item in self.spec.get("env") or ()}
        except (TypeError, KeyError) as error:
            raise self._failed("has an env that is not a list of names and values") from error

    def _information(self, interactive: bool) -> str:
        spec: dict[str, Any] = {"interactive": interactive}
        if self.spec.get("provideClusterInfo"):
            spec["cluster"] = self.cluster
        return json.dumps({"apiVersion": self.spec["apiVersion"], "kind": "ExecCredential", "spec": spec})

    def _ran(self, command: list[str], environ: dict[str, str], interactive: bool) -> tuple[int, str, str]:
        limit = ASKING_SECONDS if interactive else QUIET_SECONDS
        reading, writing = os.pipe()
        said = _Listener(reading, aloud=interactive)
        try:
            process = subprocess.Popen(
                command,
                env=environ,
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=writing,
                start_new_session=not interactive,  # so that what it starts can be ended with it
            )
        except OSError as error:
            os.close(writing)
            raise self._failed(f"cannot be started: {error.strerror}", self._hint()) from error
        try:
            out = self._awaited(process, limit, process.kill if interactive else lambda: _kill_all(process))
        finally:
            os.close(writing)
            said.join(1)  # a child that it left behind may still hold the other end
        return process.returncode, out.decode("utf-8", "replace"), said.text()

    def _awaited(self, process: subprocess.Popen[bytes], limit: float, kill: Callable[[], None]) -> bytes:
        """Give what it printed; end it after so many seconds, or where the operator ends the run."""
        started, told = time.monotonic(), False
        with process:
            try:
                while time.monotonic() - started < limit:
                    with suppress(subprocess.TimeoutExpired):
                        return process.communicate(timeout=_LOOK_SECONDS)[0]
                    self.waiting.pause(0)
                    if not told and time.monotonic() - started > _TOLD_AFTER_SECONDS:
                        told = True
                        self.waiting.tell(f"waiting for the kubeconfig's login plug-in {self._name}")
            except BaseException:
                kill()
                raise
            kill()
        raise self._failed(f"did not end in {limit:g} s")

    def _status(self, out: str) -> dict[str, Any]:
        try:
            answer = json.loads(out)
            kind, version, status = answer["kind"], answer["apiVersion"], dict(answer.get("status") or {})
        except (ValueError, TypeError, KeyError) as error:
            raise self._failed("did not print an ExecCredential") from error  # what it printed may be secret
        if (kind, version) != ("ExecCredential", self.spec["apiVersion"]):
            raise self._failed(f"answered {version} {kind}, not {self.spec['apiVersion']} ExecCredential")
        certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        if bool(certificate) != bool(key):
            raise self._failed("gave a certificate without its key, or a key alone")
        if not status.get("token") and not certificate:
            raise self._failed("gave no token and no certificate")
        return status


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class _Listener(threading.Thread):
    """Keeps the end of what a plug-in says; where somebody is at a terminal they see it at once."""

    def __init__(self, reading: int, *, aloud: bool) -> None:
        super().__init__(name="exec-plugin", daemon=True)
        self._reading = reading
        self._aloud = aloud
        self._heard = b""
        self.start()

    def run(self) -> None:
        with os.fdopen(self._reading, "rb", buffering=0) as stream:
            while heard := stream.read(CHUNK):
                self._heard = (self._heard + heard)[-CHUNK:]
                if self._aloud:
                    sys.stderr.write(heard.decode("utf-8", "replace"))
                    sys.stderr.flush()

    def text(self) -> str:
        """Give it in one line."""
        return " ".join(self._heard.decode("utf-8", "replace").split())[-MOST_TOLD:]
