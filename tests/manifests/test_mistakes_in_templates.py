"""A template that is wrong is one error with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.engine.errors import ManifestError
from runbook.steps.kube.templates import Object, parse, render


def objects_of(folder: Path, text: str) -> list[Object]:
    template = folder / "mine.yaml.j2"
    template.write_text(text)
    return parse(render(template, {"bucket": {"name": "team-models"}, "folder": "<YOUR_FOLDER>"}), template)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("kind: A\nmetadata:\n  name: {{ bucket.nam }}\n", 3, "has no attribute 'nam'"),
        ("kind: A\nmetadata:\n  name: {{ buckte }}\n", 3, "'buckte' is undefined"),
        ("kind: A\n{% if %}\n", 2, "Expected an expression"),
        (
            "kind: A\nmetadata:\n  name: a\nspec: {YOUR_BUCKET}\n",
            4,
            "a placeholder was left in: spec: {YOUR_BUCKET}",
        ),
        ("kind: A\nmetadata:\n  name: {{ folder }}\n", 3, "a placeholder was left in: name: <YOUR_FOLDER>"),
        ("kind: A\nmetadata:\n  name: a\nvolumeHandle: {my-bucket}\n", 4, "a/a.volumeHandle must be text"),
        ("kind: A\nmetadata:\n  name: a\nvalue: 7\n", 4, "a/a.value must be text, not 7"),
        ("kind: A\nmetadata:\n  name: a\nreplicas: two\n", 4, "a/a.replicas must be a whole number"),
        ("kind: A\nmetadata:\n  name: a\nargs:\n- --x\n- 8\n", None, "a/a.args[1] must be text, not 8"),
        ("kind: A\nmetadata:\n  name: a\nlabels:\n  a: true\n", None, "a/a.labels.a must be text, not True"),
        ("kind: A\nmetadata: [\n", 2, "renders to what is not YAML"),
        ("kind: A\nkind: B\nmetadata: {name: a}\n", 2, "renders to what is not YAML: found duplicate key"),
        ("just text\n", None, "a document is not a Kubernetes object"),
    ],
)
def test_each_mistake_names_its_line(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        objects_of(tmp_path, text)
    assert message in caught.value.message
    assert caught.value.place is not None
    assert caught.value.place.source.endswith("mine.yaml.j2")
    if line is not None:
        assert caught.value.place.line == line


def test_a_sound_template_gives_its_objects(tmp_path: Path) -> None:
    text = "kind: A\nmetadata: {name: {{ bucket.name | scalar }}}\n---\nkind: B\nmetadata: {name: b}\n"
    assert [item["metadata"]["name"] for item in objects_of(tmp_path, text)] == ["team-models", "b"]
