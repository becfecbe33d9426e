"""A gcloud of the test's own, and no login of the operator's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.credentials.services import Gcloud


@pytest.fixture(autouse=True)
def nobodys_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the operator's logins away."""
    for name in list(os.environ):
        if name.startswith(("CLOUDSDK_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud-config"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture
def gcloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gcloud:
    """Put a gcloud that gives tokens first on the PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program = Gcloud(folder)
    program.install()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return program
