"""Somebody who types the guide into a shell that `inv rehearsal.env` points at a rehearsal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Operator, new_operator

ROOT = Path(__file__).parents[2]
PLACEHOLDERS = {"{YOUR_MODEL_BUCKET}": "BUCKET", "{YOUR_MODEL_FOLDER}": "MODEL_FOLDER"}
DESCRIBE = {
    "cluster": "container clusters describe $CLUSTER_NAME --location=$REGION",
    "node pool": "container node-pools describe $NODEPOOL_NAME --cluster=$CLUSTER_NAME --location=$REGION",
    "system pool": "container node-pools describe default-pool --cluster=$CLUSTER_NAME --location=$REGION",
    "bucket": "storage buckets describe gs://$BUCKET --raw",
}


@dataclass(frozen=True)
class Typist:
    """Types commands.

    Args:
        operator: at the same home.
        exports: of `inv rehearsal.env`.
    """

    operator: Operator
    exports: dict[str, str]

    def types(self, command: str) -> subprocess.CompletedProcess[str]:
        """Type a command as it stands; give how it ended."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDSDK")}
        return subprocess.run(
            ["bash", "-c", command],
            env=kept | {"HOME": str(self.operator.home)} | self.exports,
            cwd=self.operator.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def described(self, what: str) -> dict[str, Any]:
        """What gcloud describes of a key of DESCRIBE."""
        ended = self.types(f"gcloud {DESCRIBE[what]} --format=json")
        assert ended.returncode == 0, ended.stderr
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def checked(self, *words: str) -> list[dict[str, Any]]:
        """The steps' outcomes of a check."""
        ended = self.operator.inv(*words, "--check", "--json")
        events = [json.loads(line) for line in ended.out.splitlines()]
        return [event["outcome"] for event in events if event["event"] == "step_ended"]

    def value(self, text: str) -> str:
        """Put the exported values in."""
        for name in sorted(self.exports, key=len, reverse=True):
            text = text.replace(f"${name}", self.exports[name])
        return text


@contextmanager
def typist_at(home: Path) -> Iterator[Typist]:
    """Sit somebody down at an empty rehearsal with the guide's model.

    Args:
        home: RUNBOOK_HOME.
    """
    for program in ("gcloud", "kubectl", "gke-gcloud-auth-plugin"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on this machine: the guide cannot be typed")
    for operator in new_operator(home, {"RUNBOOK_MODEL": "gpt-oss-120b"}):
        assert operator.inv("rehearsal.up").code == 0
        typist = Typist(operator, operator.exports())
        for name in ("vllm-tpu.yaml", "vllm-benchmark.yaml"):
            manifest = (Path(__file__).parent / name).read_text()
            for placeholder, export in PLACEHOLDERS.items():
                manifest = manifest.replace(placeholder, typist.exports[export])
            (home / name).write_text(manifest)
        yield typist


def documented(title: str) -> list[list[str]]:
    """The rows of the table below a title of docs/guide-by-hand.md."""
    text = (ROOT / "docs" / "guide-by-hand.md").read_text().partition(f"## {title}\n")[2]
    rows = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]
