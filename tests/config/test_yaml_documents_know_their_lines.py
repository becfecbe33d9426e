"""YAML 1.2 as plain values, with the line of every key, and mistakes with their line."""

from __future__ import annotations

import pytest

from runbook.engine.document import load_document, parse_document, placeholder_in
from runbook.engine.errors import Place, PlaybookError, UserError


def parse(text):
    return parse_document(text, Place("file.yml"))


def test_every_key_and_item_has_a_line():
    document = parse("a: 1\nb:\n  c: [x,\n      y]\n  d:\n    - e: 2\n")
    assert document.value == {"a": 1, "b": {"c": ["x", "y"], "d": [{"e": 2}]}}
    assert str(document.place("b", "c")) == "file.yml:3"
    assert str(document.place("b", "c", 1)) == "file.yml:4"
    assert str(document.place("b", "d", 0, "e")) == "file.yml:6"


def test_a_key_that_is_not_there_has_the_line_of_what_is_around_it():
    document = parse("a:\n  b: 1\n")
    assert str(document.place("a", "z")) == "file.yml:1"
    assert str(document.place("z")) == "file.yml"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("TRUE", True),
        ("false", False),
        ("~", None),
        ("", None),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        (".inf", float("inf")),
        ("2026-11-23", "2026-11-23"),
        ("12:30:45", "12:30:45"),
        ("'5'", "5"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    assert parse(f"a: {text}\n").value == {"a": value}


def test_keys_are_text():
    assert parse("8000: a\ntrue: b\n").value == {"8000": "a", "true": "b"}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key a is already set in line 1"),
        ("a:\n  b: 1\n  b: 1\n", 3, "the key b is already set in line 2"),
        ("a: {b: 1, b: 2}\n", 1, "the key b is already set in line 1"),
        ("a:\n\tb: 1\n", 2, "a tab where YAML wants spaces"),
        ("a: 1\n b: 2\n", 2, "is not valid YAML"),
        ("a: {YOUR_BUCKET}/x\n", 1, "the placeholder {YOUR_BUCKET} is left in"),
        ("a: @x\n", 1, "is not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "is not valid YAML"),
        ("a: &x {b: *x}\n", 1, "an alias that holds itself"),
        ("a: *nowhere\n", 1, "is not valid YAML"),
        ("? [a]\n: b\n", 1, "a key must be a single word"),
        ("a: !!python/object:os.system x\n", 1, "is not known here"),
    ],
)
def test_a_mistake_has_its_line(text, line, message):
    with pytest.raises(UserError) as caught:
        parse(text)
    assert message in caught.value.message
    assert str(caught.value.place) == f"file.yml:{line}"


def test_the_error_is_of_the_kind_that_the_reader_asks_for(tmp_path):
    with pytest.raises(PlaybookError, match="cannot be read: No such file"):
        load_document(tmp_path / "none.yml", PlaybookError)
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlaybookError, match="not a text file in UTF-8"):
        load_document(tmp_path / "binary.yml", PlaybookError)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("<YOUR_BUCKET>", "<YOUR_BUCKET>"),
        ("gs://<your-bucket>/x", "<your-bucket>"),
        ("{YOUR_MODEL_FOLDER}", "{YOUR_MODEL_FOLDER}"),
        ({"YOUR_BUCKET": None}, "{YOUR_BUCKET}"),
        ({"my-bucket": None}, None),
        ("a < b > c", None),
        ("you choose", None),
        (5, None),
    ],
)
def test_placeholders_are_found_in_every_shape(value, found):
    assert placeholder_in(value) == found
