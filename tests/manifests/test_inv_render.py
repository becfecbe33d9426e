"""`inv render` writes what 4.2 and 5.1 apply; a step's own passing Job needs what only its run knows."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.conftest import Operator


def test_both_manifests_are_written(tmp_path: Path) -> None:
    ended = Operator(tmp_path, {}).inv("render", "--to", str(tmp_path / "rendered"))
    assert ended.code == 0, ended.error
    written = {path.name for path in (tmp_path / "rendered").iterdir()}
    assert written == {"vllm-benchmark.yaml", "vllm-tpu.yaml"}
