"""The editors' schemas, the page of all keys and the defaults follow the schema."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from runbook.config.generate import generated
from runbook.config.json_schema import schemas
from runbook.config.keys import PREFIX, RESERVED, schema_groups, schema_keys, setting_name
from runbook.engine.document import load_document


def test_generated_files_are_up_to_date(root):
    stale = [path for path, text in generated(root).items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run python -m runbook.config.generate"


def test_every_variable_has_a_description_of_one_line():
    for key, schema in schema_keys().items():
        assert schema.description, key
        assert "\n" not in schema.description


def test_the_files_set_every_variable(repository):
    known = set(repository.load().keys())
    for key, schema in schema_keys().items():
        name = ".".join(key)
        assert name in known or schema.open, name


def test_every_variable_has_an_environment_variable_of_its_own():
    names = [setting_name(key) for key in [*schema_keys(), *schema_groups()]]
    assert len(names) == len(set(names))
    assert not RESERVED & set(names)
    assert all(name.startswith(PREFIX) for name in names)


def test_every_file_names_its_schema_in_its_first_line(root):
    ours = (
        "*.yml",
        "models/*.yml",
        "hardware/*.yml",
        "storage/*.yml",
        "envs/rehearsal.yml",
        "envs/*.example.yml",
    )
    files = [path for pattern in ours for path in (root / "vars").glob(pattern)]
    assert len(files) >= 7
    for path in files:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert match, path
        assert (path.parent / match[1]).is_file()


def test_a_layer_is_partial_and_closed():
    whole, layer = schemas()["variables.json"], schemas()["layer.json"]
    assert "'required': [" not in str(whole)
    assert whole["additionalProperties"] is False
    assert {"model", "hardware", "storage"} == set(whole["properties"]) - set(layer["properties"])
    assert whole["$defs"]["Server"]["properties"]["replicas"]["minimum"] == 0
    assert whole["$defs"]["Server"]["properties"]["replicas"]["description"]


def covers(schema, root, value):
    """A small checker: enough of JSON Schema for these files."""
    if "$ref" in schema:
        return covers(root["$defs"][schema["$ref"].rpartition("/")[2]], root, value)
    if "anyOf" in schema:
        return any(covers(branch, root, value) for branch in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    if isinstance(value, dict):
        named = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        other = schema.get("additionalProperties", False)
        for key, inner in value.items():
            inside = named.get(key) or next((s for p, s in patterns.items() if re.search(p, key)), other)
            assert inside, key
            assert covers(inside, root, inner), (key, inner)
        return schema["type"] == "object"
    types = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "null": type(None),
    }
    right = isinstance(value, types.get(schema["type"], ()))
    return right and (not isinstance(value, str) or re.search(schema.get("pattern", ""), value) is not None)


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("defaults.yml", "variables.json"),
        ("envs/rehearsal.yml", "variables.json"),
        ("models/gpt-oss-120b.yml", "layer.json"),
        ("models/gpt-oss-tiny.yml", "layer.json"),
        ("hardware/tpu7x-2x2x1.yml", "layer.json"),
        ("storage/gcsfuse.yml", "layer.json"),
    ],
)
def test_an_editor_finds_no_fault_with_our_own_files(root, name, schema):
    definition = schemas()[schema]
    assert covers(definition, definition, load_document(root / "vars" / name).value)


def test_loading_imports_no_client_of_the_cloud(root):
    program = (
        "import sys; from pathlib import Path; from runbook.config.load import load\n"
        "load(Path('.'), 'rehearsal', [], {})\n"
        "heavy = {'google', 'gcsfs', 'kubernetes', 'fabric', 'requests', 'aiohttp', 'jinja2', 'rich'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
