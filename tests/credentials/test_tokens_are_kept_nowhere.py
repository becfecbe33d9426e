"""What a run leaves behind has no token in it: not the journal, not the kubeconfig, not what was printed."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.conftest import new_operator


def test_a_run_writes_and_prints_no_token(tmp_path: Path) -> None:
    for operator in new_operator(tmp_path):
        said = [operator.inv("setup", "--check"), operator.inv("step", "2.2"), operator.inv("step", "4.1")]
        endpoints = json.loads((tmp_path / ".rehearsal" / "endpoints.json").read_text())
        token = Path(endpoints["token_file"]).read_text().strip()
        assert token
        assert not any(token in ended.out + ended.error for ended in said)
        left = [path for path in (tmp_path / ".runs").rglob("*") if path.is_file()]
        assert any(path.name == "kubeconfig" for path in left)
        assert not any(token.encode() in path.read_bytes() for path in left)
