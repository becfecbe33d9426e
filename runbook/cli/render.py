"""`inv render`: the manifests of section 4.2 and 5.1, without asking the cloud."""

from __future__ import annotations

import json
from pathlib import Path

from runbook.cli.catalogue import load_variables
from runbook.cli.line import Line
from runbook.engine.errors import VariableError
from runbook.engine.journal import new_run_id


def render(line: Line, to: str) -> None:
    """Write the manifests that stay in the cluster to a folder, or all to stdout.

    Args:
        line: its environment and settings count.
        to: a folder, which is made; `-` means stdout.
    """
    from runbook.steps.kube.drafts import draft
    from runbook.steps.model.worker_job import TEMPLATE as PASSING

    loaded = load_variables(line)
    folder = line.root / "manifests"
    run_id = new_run_id()
    texts = {
        path.stem: draft(
            folder, path.name, loaded.variables, loaded.tree, line.options.environment, run_id
        ).text
        for path in sorted(folder.glob("*.j2"))
        if path.name != PASSING  # what it moves only a run knows
    }
    if to == "-":
        print(json.dumps(texts) if line.options.json else "---\n".join(texts.values()), end="")
    elif not to:
        raise VariableError("--to wants a folder, or - for stdout")
    else:
        _write(Path(to), texts, as_json=line.options.json)


def _write(folder: Path, texts: dict[str, str], *, as_json: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
        print(json.dumps({"manifest": str(folder / name)}) if as_json else folder / name)
