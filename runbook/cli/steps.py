"""`inv steps` and `inv doc`: which steps there are, and what a step module does."""

from __future__ import annotations

import json
import textwrap

from pydantic import BaseModel

from runbook.cli.catalogue import load_playbooks, module_library
from runbook.cli.line import Line
from runbook.engine.module import StepModule
from runbook.engine.playbook import all_steps


def list_steps(line: Line) -> None:
    """Print every step of every playbook."""
    library = module_library()
    for step in all_steps(load_playbooks(line.root)):
        ensures = library.load(step.uses, step.place).summary
        record = {
            "section": step.section,
            "name": step.name,
            "playbook": step.playbook,
            "uses": step.uses,
            "ensures": ensures,
        }
        text = "{section:<6} {name:<42} {playbook:<9} {uses:<22} {ensures}".format_map(record)
        print(json.dumps(record) if line.options.json else text)


def explain(line: Line, module: str) -> None:
    """Print a step module's explanation and arguments, or the list of modules.

    Args:
        line: with --json the arguments come as a JSON Schema.
        module: such as `gke.node_pool`; empty means the list.
    """
    library = module_library()
    if not module:
        for name in library.names():
            ensures = library.load(name).summary
            as_json = json.dumps({"module": name, "ensures": ensures})
            print(as_json if line.options.json else f"{name:<24} {ensures}")
        return
    found = library.load(module)
    print(json.dumps(_as_record(found)) if line.options.json else _as_text(found))


def _as_record(module: StepModule) -> dict[str, object]:
    return {
        "module": module.name,
        "document": module.document,
        "arguments": module.arguments.model_json_schema(),
    }


def _as_text(module: StepModule) -> str:
    arguments = "\n".join(_argument_lines(module.arguments)) or "  (none)"
    return f"{module.name}\n\n{module.document}\n\nwith:\n{arguments}"


def _argument_lines(model: type[BaseModel]) -> list[str]:
    lines = []
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"default: {field.default!r}"
        lines.append(f"  {name}  ({default})")
        lines += textwrap.wrap(field.description or "", 96, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return lines
