"""A reader who does what the documents say, in a copy of the project and with a cloud of their own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.blocks import Block, Command

ROOT = Path(__file__).parents[2]
COPIED = ("playbooks", "manifests", "vars", "runbook", "tasks.py", "invoke.yaml")
LINKED = ("rehearsal", "docs")
BROKEN = "playbooks/broken.yml"
"""What the documents call a playbook with a mistake; it is taken away when the mistake has been shown."""


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    text: str


@dataclass(frozen=True)
class Reader:
    """Somebody who reads a document and types along.

    Args:
        project: their copy of the project.
        home: their RUNBOOK_HOME.
    """

    project: Path
    home: Path

    def write(self, block: Block) -> None:
        """Write the file that a block shows."""
        assert block.file
        path = self.project / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*block.lines, ""]))

    def type(self, command: Command) -> Answer:
        """Type a line of `inv`."""
        program, *words = shlex.split(command.line)
        assert program in {"inv", "./inv"}, command.line
        ended = subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.project,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Answer(ended.returncode, ended.stdout + ended.stderr)

    def forget_broken(self) -> None:
        """Take the playbook with the mistake away."""
        (self.project / BROKEN).unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        foreign = ("RUNBOOK_", "CLOUDSDK_", "PYTHONPATH")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return kept | {"RUNBOOK_HOME": str(self.home)}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader with a fresh copy of the project; their stand-in is stopped at the end."""
    project = tmp_path / "project"
    project.mkdir()
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, project / name)
    for name in LINKED:
        (project / name).symlink_to(ROOT / name)
    someone = Reader(project, tmp_path / "home")
    yield someone
    someone.type(Command("inv rehearsal.down"))
