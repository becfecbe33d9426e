from __future__ import annotations

import pytest

from tests.docs.blocks import blocks, commands, shown
from tests.docs.conftest import ROOT

DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), *ROOT.glob("README.md")]
WITH_COMMANDS = [path for path in DOCUMENTS if "```console" in path.read_text()]
GATE = "inv test"
"""It runs this test."""
LONG = {
    "benchmark-compare.md",
    "benchmark.md",
    "doctor.md",
    "gke.md",
    "operations.md",
    "playbooks.md",
    "rehearsal.md",
    "report.md",
    "sweep.md",
    "symptoms.md",
    "transfer-cluster.md",
    "transfer.md",
}
"""What takes longest to type."""


@pytest.mark.parametrize(
    "document",
    [pytest.param(path, marks=pytest.mark.slow) if path.name in LONG else path for path in WITH_COMMANDS],
    ids=lambda path: path.name,
)
def test_each_command_ends_as_the_document_shows(document, reader):
    for block in blocks(document):
        if block.file:
            reader.write(block)
        if block.language != "console":
            continue
        for command in commands(block):
            if command.line.removeprefix("./").startswith(GATE):
                continue
            answer = reader.type(command)
            said = f"{block.place}: {command.line}\n{answer.text}"
            assert answer.code == command.code, said
            missing = [line for line in command.expected if not shown(line, answer.text)]
            assert not missing, f"not printed: {missing}\n{said}"
        reader.forget_broken()
