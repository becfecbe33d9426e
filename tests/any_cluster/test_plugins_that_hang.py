"""A login plug-in that does not end: it is told, and ended with all that it started."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from runbook.clients.kube import exec_plugin
from runbook.engine.errors import CredentialsError
from tests.acceptance.conftest import Operator
from tests.any_cluster.by_hand import V1, Handwritten
from tests.any_cluster.conftest import Reader
from tests.rehearsal.stand_in import eventually
from tests.steps_kube.deployment_place import Place

HANGING = """\
#!/bin/sh
sleep 300 &
echo $! > {folder}/child
wait
"""


@pytest.fixture
def hanging(written: Handwritten) -> Path:
    """A kubeconfig whose plug-in waits for a child of its own."""
    script = written.folder / "hanging"
    script.write_text(HANGING.format(folder=written.folder))
    script.chmod(0o700)
    spec = {"apiVersion": V1, "command": "./hanging", "interactiveMode": "Never"}
    return written.file({"exec": spec})


def child_has_ended(folder: Path) -> bool:
    pid = int((folder / "child").read_text())
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.mark.slow
def test_at_its_limit_it_ends_with_its_children(
    reader: Reader, hanging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exec_plugin, "QUIET_SECONDS", 2.0)
    error = reader.by(hanging).error
    assert isinstance(error, CredentialsError)
    assert error.message == "the kubeconfig's login plug-in ./hanging did not end in 2 s"
    assert set(reader.voice.conditions) == {"waiting for the kubeconfig's login plug-in ./hanging"}
    eventually(lambda: child_has_ended(hanging.parent))


def test_ctrl_c_ends_it_with_its_children(prepared: Place, hanging: Path) -> None:
    settings = ("--set", "provider=kubeconfig", "--set", f"kube.kubeconfig={hanging}")
    with Operator(prepared.home, {}).start("step", "4.1", "--json", *settings) as process:
        assert process.stdout is not None
        events = (json.loads(line) for line in process.stdout)
        waited = next(event for event in events if event["event"] == "condition_seen")
        assert waited["text"] == "waiting for the kubeconfig's login plug-in ./hanging"
        pressed = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 1
    assert time.monotonic() - pressed < 10
    eventually(lambda: child_has_ended(hanging.parent))
