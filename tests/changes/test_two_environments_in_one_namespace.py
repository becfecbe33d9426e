"""Two environments in one cluster and namespace: each has its own, and neither touches the other's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.acceptance.conftest import ROOT, Ended, Operator, new_operator

NAMES = {
    "server": {"name": "vllm-blue", "service": "vllm-blue"},
    "volume": {"name": "blue-pv", "claim": "blue-claim"},
}
COMMON = {"output_len": 16, "num_prompts": 4}


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator with the environments green, which serves, and blue; one cloud, with a node for each."""
    root = tmp_path_factory.mktemp("project")
    for entry in ROOT.iterdir():
        if entry.name != "vars":
            (root / entry.name).symlink_to(entry)
    (root / "vars" / "envs").mkdir(parents=True)
    for entry in (ROOT / "vars").iterdir():
        if entry.name != "envs":
            (root / "vars" / entry.name).symlink_to(entry)
    for found in new_operator(tmp_path_factory.mktemp("home")):
        working = replace(found, root=root)
        write(root, "green", {"bench": COMMON})
        write(root, "blue", NAMES | {"bench": COMMON | {"name": "blue-bench"}})
        well(working, "green", "setup", "deploy", "smoke")
        yield working


def write(root: Path, name: str, more: dict[str, Any]) -> None:
    """Write an environment of two TPU nodes."""
    yaml = YAML()
    variables = yaml.load(ROOT / "vars" / "envs" / "rehearsal.yml")
    variables["node_pool"]["nodes"] = 2
    for key, value in more.items():
        variables[key] = {**variables.get(key, {}), **value}
    yaml.dump(variables, root / "vars" / "envs" / f"{name}.yml")


def well(operator: Operator, environment: str, *words: str) -> Ended:
    """Type a line for an environment, which must end well."""
    ended = operator.inv(*words, "--env", environment)
    assert ended.code == 0, ended.out + ended.error
    return ended


@pytest.mark.slow
def test_each_has_its_own_and_neither_touches_the_others(operator: Operator) -> None:
    refused = operator.inv("deploy", "--env", "blue", "--set", "server.name=vllm-tpu")
    assert refused.code == 1
    assert "deployment/vllm-tpu belongs to environment green" in refused.out

    well(operator, "blue", "setup", "deploy", "smoke", "bench")
    for environment in ("green", "blue"):
        assert well(operator, environment, "setup", "deploy", "smoke").recap["changed"] == 0

    well(operator, "blue", "deploy", "--yes", "--set", "server.service=vllm-navy")
    assert well(operator, "green", "setup", "deploy", "smoke").recap["changed"] == 0

    deleted = well(operator, "blue", "cleanup", "--yes", "--json").out
    paths = [
        item["path"]
        for event in map(json.loads, deleted.splitlines())
        if event["event"] == "change_begun"
        for item in event["change"]["differences"]
    ]
    assert {"deployment/vllm-blue", "service/vllm-navy", "configmap/vllm-tpu-blue"} <= set(paths)
    assert not {"deployment/vllm-tpu", "service/vllm-service", "configmap/vllm-tpu-green"} & set(paths)
    assert well(operator, "green", "setup", "deploy", "smoke").recap["changed"] == 0
