"""Somebody types the written runbook from its beginning to its end, with the real clients, on a rehearsal."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, Operator
from tests.runbook_page.markdown_page import Section, sections

pytestmark = [pytest.mark.clients, pytest.mark.slow]

NEEDED = ("gcloud", "kubectl", "curl", "gke-gcloud-auth-plugin")
BUCKET = ("--set", "teardown.bucket=rehearsal-models")
OF_THE_STEP_ALONE = {"3.2.3", "4.1", "4.2", "4.3"}
"""What the step still does after it was done by hand: it records the hub's hashes with the objects, keeps the
rehearsal's own login in the kubeconfig, and puts the hash of the model's files into the manifest."""


@dataclass(frozen=True)
class Typist:
    """Somebody with the page before them, at a shell that is pointed at the rehearsal.

    Args:
        page: the sections of the written runbook.
        folder: where they type.
        environ: of their shell.
    """

    page: dict[str, Section]
    folder: Path
    environ: dict[str, str]

    def types(self, number: str, label: str = "do") -> str:
        """Paste a block into a shell that stops at the first failure; give what it prints."""
        block = self.page[number].blocks.get(label, "")
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", block],
            cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{number} {label}:\n{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def leaves_running(self, number: str) -> Iterator[None]:
        """Paste a block into a terminal of its own, and wait until its check passes."""
        block = self.page[number].blocks["do"]
        with subprocess.Popen(
            ["/bin/sh", "-euc", f"exec {block}"], cwd=self.folder, env=self.environ, stdout=subprocess.DEVNULL
        ) as process:
            try:
                self._awaits(number)
                yield
            finally:
                process.terminate()

    def _awaits(self, number: str) -> None:
        for _ in range(40):
            try:
                self.types(number, "Check")
            except AssertionError:
                time.sleep(0.25)
            else:
                return
        self.types(number, "Check")


@pytest.fixture
def typist(operator: Operator, tmp_path: Path) -> Typist:
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        pytest.skip(f"not on the PATH: {', '.join(missing)}: the written runbook cannot be typed")
    programs = tmp_path / "bin"
    programs.mkdir()
    _program(programs / "inv", f'exec "{sys.executable}" -m invoke --search-root "{ROOT}" "$@"')
    hf = os.environ.get("RUNBOOK_TEST_HF") or shutil.which("hf")
    if hf:
        (programs / "hf").symlink_to(hf)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLOUDSDK", "RUNBOOK_"))
    }
    exports = operator.exports()
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    home = {"HOME": str(tmp_path), "RUNBOOK_HOME": str(operator.home), "PATH": path}
    page = operator.inv("runbook", *BUCKET, "--set", f"smoke.local_port={_free_port()}").out
    return Typist(sections(page), tmp_path, {**kept, **exports, **home})


def test_from_setup_to_teardown(typist: Typist, operator: Operator) -> None:
    for number in ("1", "2.1", "2.2", "2.3.1", "2.3.2", "2.3.3", "2.3.4", "2.4", "3.1", "3.2.1", "3.2.2"):
        typist.types(number)
        assert typist.types(number, "Check") or number == "3.2.1"
    typist.types("3.2.3", "do" if (typist.folder / "bin" / "hf").exists() else "The")
    assert "model.safetensors.index.json" in typist.types("3.2.3", "Check")
    for number in ("3.3", "4.1", "4.2", "4.3"):
        typist.types(number)
    assert "/subject/ns/default/sa/default" in typist.types("3.3", "Check")
    assert "gke-tpu-" in typist.types("4.1", "Check")
    assert typist.types("4.2", "Check") == ""
    assert "Application startup complete." in typist.types("4.3", "Check") or "1/1" in typist.types(
        "4.3", "Check"
    )
    with typist.leaves_running("4.4"):
        assert '"finish_reason":"length"' in typist.types("4.5").replace(" ", "")
        assert "rehearsal/gpt-oss-tiny" in typist.types("4.5", "Check")
    typist.types("5.1")
    assert "Serving Benchmark Result" in typist.types("5.2")
    assert "vllm-bench-" in typist.types("5.2", "Check")
    _only_the_steps_own_is_left(operator)
    for number in ("5.3", "6.1", "6.2", "6.3", "6.4", "6.5"):
        typist.types(number)
        if number != "6.4":
            assert "rehearsal" not in typist.types(number, "Check")
    left = operator.inv("step", "6.6")
    assert "nothing that this runbook made is left" in left.out


def test_what_is_undone_can_be_done_again(typist: Typist) -> None:
    for number in ("2.2", "3.1", "3.2.2"):
        typist.types(number)
    for number in ("2.4", "4.1", "3.3", "2.3.2", "2.3.3", "2.3.4", "2.3.1"):
        typist.types(number)
        typist.types(number, "Undo")
    for number in ("3.2.2", "3.1", "2.2"):
        typist.types(number, "Undo")
        typist.types(number)


def _only_the_steps_own_is_left(operator: Operator) -> None:
    ended = operator.inv("setup", "deploy", "--check")
    pending = {
        number
        for number in (
            "2.2",
            "2.3.1",
            "2.3.2",
            "2.3.3",
            "2.3.4",
            "2.4",
            "3.1",
            "3.2.3",
            "3.3",
            "4.1",
            "4.2",
            "4.3",
        )
        if ended.status(number) != "ok"
    }
    assert pending <= OF_THE_STEP_ALONE, ended.out


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
