"""A kubectl command that the runbook tells reaches this environment's cluster, not the operator's context."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.steps_kube.pasted import bare_commands

SOURCES: Final = sorted(Path("runbook").rglob("*.py"))


def texts(source: Path) -> Iterator[str]:
    """Give the strings of a module, with `...` for what is put in; docstrings are told to nobody."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    spoken = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if node in spoken or id(node) in inner:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "..." for part in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def commands(source: Path) -> list[str]:
    return [command for text in texts(source) for command in bare_commands(text)]


def test_no_module_writes_a_command_that_names_no_cluster() -> None:
    assert len(SOURCES) > 300
    assert {source: found for source in SOURCES if (found := commands(source))} == {}


def test_the_commands_are_found_where_they_are_bare(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text('"""kubectl get pods"""\nlook = f"see: kubectl describe node {name}"\n')
    assert commands(source) == ["kubectl describe node ..."]
