"""The repository's templates, rendered with an environment on GKE as the guide would have it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.config.load import load
from runbook.steps.kube.templates import parse, render
from runbook.steps.kube.workload import template_values

ROOT = Path(__file__).parents[2]
GUIDE = (
    "provider=gke",
    "model=gpt-oss-120b",
    "project=team-project",
    "bucket.name=team-models",
    "bench.input_len=1024",
    "bench.output_len=8192",
    "bench.num_prompts=1000",
)

Objects = dict[str, dict[str, Any]]
Workload = Callable[..., Objects]


def values(
    *settings: str, template: str = "vllm-tpu.yaml.j2", content: str = "0123456789ab"
) -> dict[str, Any]:
    """What a template may name, for the guide's environment with some settings."""
    loaded = load(ROOT, "rehearsal", [*GUIDE, *settings], {"SERVER_KEY": "s3cret"})
    return template_values(
        template,
        loaded.variables,
        loaded.tree,
        environment="team",
        run_id="20261123-154200-1a2b",
        content=content,
    )


@pytest.fixture
def workload() -> Workload:
    """Render both templates; give the objects by kind."""

    def rendered(*settings: str, content: str = "0123456789ab") -> Objects:
        found = {}
        for name in ("vllm-tpu.yaml.j2", "vllm-benchmark.yaml.j2"):
            path = ROOT / "manifests" / name
            for item in parse(render(path, values(*settings, template=name, content=content)), path):
                found[item["kind"]] = item
        return found

    return rendered
