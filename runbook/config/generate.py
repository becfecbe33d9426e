"""Write what is derived from the schema: `python -m runbook.config.generate` after a variable has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from runbook.config.json_schema import schemas
from runbook.config.keys import Key, dotted, schema_keys
from runbook.config.layers import load_layer
from runbook.config.listing import text
from runbook.config.provenance import Origins

_BEGIN: Final = "<!-- generated: python -m runbook.config.generate -->"
_END: Final = "<!-- end of generated -->"
_LAYERS: Final = (
    "defaults.yml",
    "models/gpt-oss-120b.yml",
    "hardware/tpu7x-2x2x1.yml",
    "storage/gcsfuse.yml",
)
"""The guide's own values."""


def generated(root: Path) -> dict[Path, str]:
    """Return the generated files' texts.

    Args:
        root: the repository.
    """
    page = root / "docs" / "variables.md"
    files = {
        root / "vars" / "schema" / name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    return {**files, page: _with_table(page.read_text(encoding="utf-8"), root)}


def write(root: Path) -> None:
    """Write the generated files."""
    for path, content in generated(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _with_table(page: str, root: Path) -> str:
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    table = "\n".join(_table(root))
    return f"{before}{_BEGIN}\n\n{table}\n\n{_END}{after}"


def _table(root: Path) -> Iterator[str]:
    origins = Origins()
    for name in _LAYERS:
        origins.add(load_layer(root / "vars" / name))
    yield "| key | the guide's value | what it is |"
    yield "|---|---|---|"
    for key, schema in schema_keys().items():
        value = text(_value(origins, key)).replace("|", "\\|")
        yield f"| `{dotted(key)}` | `{value}` | {schema.description} |"


def _value(origins: Origins, key: Key) -> Any:
    origin = origins.find(key)
    if origin is not None:
        return origin.value
    below = origins.below(key)
    if any(len(inner) > len(key) + 1 for inner in below):
        return list(dict.fromkeys(inner[len(key)] for inner in below))
    return {inner[-1]: origins.last(inner).value for inner in below}


if __name__ == "__main__":
    write(Path(__file__).parents[2])
