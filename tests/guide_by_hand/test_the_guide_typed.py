"""The guide typed into the real gcloud and kubectl; a check then names what the document lists, no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.guide_by_hand.guide import COMMANDS
from tests.guide_by_hand.typed import DESCRIBE, Typist, documented, typist_at

pytestmark = [pytest.mark.clients, pytest.mark.slow]

ALIKE = documented("What both make alike")
OTHERWISE = documented("What is made otherwise, and left as it is")
NAMED = documented("What a check names")
REFUSED = documented("Typing it")


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typist]:
    """Type the guide, to its end."""
    with typist_at(tmp_path_factory.mktemp("by-hand")) as typist:
        for name, command, error in COMMANDS:
            ended = typist.types(command)
            assert (ended.returncode == 0) is (error == ""), (name, ended.stderr)
            assert error.format(**typist.exports) in ended.stderr, name
        yield typist


@pytest.fixture(scope="module")
def by_setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typist]:
    """Run `inv setup`."""
    with typist_at(tmp_path_factory.mktemp("by-setup")) as typist:
        ended = typist.operator.inv("setup", "--skip-tags", "model")
        assert ended.code == 0, ended.out
        yield typist


@pytest.fixture(scope="module")
def described(by_hand: Typist, by_setup: Typist) -> dict[str, dict[str, Any]]:
    """What gcloud describes: of what was made by hand, and of what `inv setup` made."""
    return {
        "by hand": {what: by_hand.described(what) for what in DESCRIBE},
        "with setup": {what: by_setup.described(what) for what in DESCRIBE},
    }


def at(described: dict[str, Any], field: str) -> str:
    """A field of what gcloud describes, as the document writes it."""
    found: Any = described
    for name in field.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return "absent" if found is None else f"`{found}`"


def is_like(row: str, path: str) -> bool:
    """Whether a difference is one of a row, in which `*` is any text."""
    return re.fullmatch(".*".join(map(re.escape, row.split("*"))), path) is not None


def differences(typist: Typist, *words: str) -> set[tuple[str, str]]:
    """Section and path of all that a check names; paths below the home begin there."""
    return {
        (outcome["section"], difference["path"].replace(f"{typist.operator.home}/", ""))
        for outcome in typist.checked(*words)
        for change in outcome["changes"]
        for difference in change["differences"]
    }


def rows_of(typist: Typist) -> list[tuple[str, str]]:
    return [(section, typist.value(path.strip("`"))) for section, path, _ in NAMED]


def unlisted(found: set[tuple[str, str]], rows: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Give the differences that no row is about."""
    return {
        (section, path)
        for section, path in found
        if not any(section == wanted and is_like(row, path) for wanted, row in rows)
    }


def test_a_check_names_what_is_listed_and_nothing_else(by_hand: Typist) -> None:
    found = differences(by_hand, "setup", "deploy", "--set", "kube.force=true")
    rows = rows_of(by_hand)
    assert unlisted(found, rows) == set()
    unseen = [
        (section, row)
        for section, row in rows
        if not any(section == other and is_like(row, path) for other, path in found)
    ]
    assert unseen == []


def test_a_check_of_setup_alone_names_sections_3_only(by_hand: Typist) -> None:
    outcomes = by_hand.checked("setup")
    assert [outcome["section"] for outcome in outcomes if outcome["status"] == "failed"] == []
    assert {section for section, _ in differences(by_hand, "setup")} == {"3.1", "3.2.3", "3.3"}


def test_fields_that_kubectl_owns_are_not_taken_over_unasked(by_hand: Typist) -> None:
    (apply,) = [outcome for outcome in by_hand.checked("setup", "deploy") if outcome["section"] == "4.3"]
    assert apply["status"] == "failed"
    assert 'conflict with "kubectl-client-side-apply"' in apply["error"]["message"]
    assert "kube.force=true" in apply["error"]["remedy"]


@pytest.mark.parametrize(("what", "field", "value"), ALIKE)
def test_by_hand_and_with_setup_gcloud_describes_the_same(
    by_hand: Typist, described: dict[str, dict[str, Any]], what: str, field: str, value: str
) -> None:
    wanted = by_hand.value(value)
    assert [at(world[what], field) for world in described.values()] == [wanted, wanted]


@pytest.mark.parametrize(("what", "field", "hand", "setup", "why"), OTHERWISE)
def test_what_is_made_otherwise_is_what_the_document_says(
    described: dict[str, dict[str, Any]], what: str, field: str, hand: str, setup: str, why: str
) -> None:
    assert why
    assert [at(world[what], field) for world in described.values()] == [hand, setup]


def test_the_commands_that_end_with_an_error_are_those_of_the_document() -> None:
    typed = [name.partition(" ")[0] for name, _, error in COMMANDS if error]
    assert [section for section, _, _ in REFUSED] == typed
