"""A repository with the real files of vars/ and an environment of the test's own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from runbook.config.load import Loaded, load
from runbook.engine.errors import VariableError

ROOT = Path(__file__).parents[2]
VALID = """\
provider: gke
project: team-project
region: us-central1
zone: us-central1-c
cluster: {name: serving}
node_pool: {name: tpu-pool, reservation: team-tpu}
bucket: {name: team-models}
"""


@dataclass(frozen=True)
class Repository:
    """A repository; its environment `mine` is valid until a test writes to it.

    Args:
        root: its folder.
    """

    root: Path

    def write(self, text: str, name: str = "envs/mine.yml") -> None:
        """Write a file of vars/."""
        (self.root / "vars" / name).write_text(text, encoding="utf-8")

    def add(self, text: str) -> None:
        """Write lines below the valid ones of the environment; they begin in line 8."""
        self.write(VALID + text)

    def load(self, *settings: str, env: str = "mine", **environ: str) -> Loaded:
        """Load it as the command line does."""
        return load(self.root, env, settings, environ)

    def error(self, *settings: str, env: str = "mine", **environ: str) -> VariableError:
        """Load what cannot be loaded."""
        with pytest.raises(VariableError) as caught:
            self.load(*settings, env=env, **environ)
        return caught.value


@pytest.fixture
def root() -> Path:
    """The repository that these tests belong to."""
    return ROOT


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Repository:
    """A copy that a test may change; the working folder is in it, so that places are short."""
    shutil.copytree(ROOT / "vars", tmp_path / "vars", ignore=shutil.ignore_patterns("envs"))
    (tmp_path / "vars" / "envs").mkdir()
    for name in ("rehearsal.yml", "gke.example.yml"):
        shutil.copy(ROOT / "vars" / "envs" / name, tmp_path / "vars" / "envs")
    monkeypatch.chdir(tmp_path)
    copy = Repository(tmp_path)
    copy.add("")
    return copy
