from __future__ import annotations

import re
from pathlib import Path

import pytest

from runbook.engine.errors import Place, PlaybookError
from runbook.engine.expression import condition, render
from runbook.engine.module import ModuleLibrary
from runbook.engine.plan import Selection, plan
from runbook.engine.playbook import bind, check_needs, load_playbook, refuse_twins

GOOD = """\
- section: "1"
  name: Log in
  uses: auth.login
- section: "2"
  name: Cluster
  uses: gke.cluster
  needs: ["1"]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "own.yml").write_text(text)
    return folder


def test_a_playbook_is_a_list_of_steps_in_order(tmp_path):
    playbook = load_playbook(write(tmp_path, GOOD), "own")
    assert [step.section for step in playbook.steps] == ["1", "2"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("uses: gke", "use: gke", 6, "the step has no 'use'"),
        ("name: Cluster", "name: 7", 5, "name: input should be a valid string, not 7"),
        ('section: "2"', 'section: "1"', 4, "section '1' is already taken"),
        ("  name: Cluster\n", "", 4, "the step lacks 'name'"),
        ("uses: gke.cluster", "uses: gke.cluster\n  uses: other", 7, "uses"),
    ],
)
def test_a_broken_step_is_named_with_its_line(tmp_path, old, new, line, message):
    with pytest.raises(PlaybookError, match=re.escape(message)) as caught:
        load_playbook(write(tmp_path, GOOD.replace(old, new)), "own")
    assert caught.value.place.line == line


def test_an_unknown_playbook_offers_the_nearest(tmp_path):
    with pytest.raises(PlaybookError) as caught:
        load_playbook(write(tmp_path, GOOD), "onw")
    assert caught.value.remedy == "did you mean own?"


def test_needs_must_name_a_step_and_make_no_circle(tmp_path):
    unknown = load_playbook(write(tmp_path, GOOD.replace('["1"]', '["11"]')), "own")
    with pytest.raises(PlaybookError, match="needs '11', which is no step"):
        check_needs([unknown])
    circle = load_playbook(write(tmp_path, GOOD.replace("auth.login", 'auth.login\n  needs: ["2"]')), "own")
    with pytest.raises(PlaybookError, match="waits for itself"):
        check_needs([circle])


CONDITIONAL = GOOD.replace(
    'needs: ["1"]',
    """needs:
    - step: "1"
      when: transfer.where == 'cluster'""",
)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("when: transfer", "whne: transfer", 9, "the need has no 'whne'"),
        ("      when: transfer.where == 'cluster'\n", "", 8, "the need lacks 'when'"),
        ("when: transfer.where == 'cluster'", "when: 3", 9, "the need: when"),
        ('step: "1"', "step: 1", 8, "the need: step: input should be a valid string, not 1"),
        ("      when: transfer.where == 'cluster'\n", "    - 4\n", 8, "the need lacks 'when'"),
        ("step: \"1\"\n      when: transfer.where == 'cluster'", "4", 8, "mapping of step and when, not 4"),
    ],
)
def test_a_broken_need_is_named_with_its_line(tmp_path, old, new, line, message):
    with pytest.raises(PlaybookError, match=re.escape(message)) as caught:
        load_playbook(write(tmp_path, CONDITIONAL.replace(old, new)), "own")
    assert caught.value.place.line == line


def test_a_misspelt_key_of_a_need_offers_the_nearest(tmp_path):
    with pytest.raises(PlaybookError) as caught:
        load_playbook(write(tmp_path, CONDITIONAL.replace("when: transfer", "whne: transfer")), "own")
    assert caught.value.remedy == "did you mean when?"


def test_a_need_with_a_condition_must_name_a_step_and_make_no_circle_even_where_it_does_not_count(tmp_path):
    never = CONDITIONAL.replace("transfer.where == 'cluster'", "false")
    unknown = load_playbook(write(tmp_path, never.replace('step: "1"', 'step: "11"')), "own")
    with pytest.raises(PlaybookError, match="needs '11', which is no step") as caught:
        check_needs([unknown])
    assert caught.value.place.line == 8
    circle = load_playbook(write(tmp_path, never.replace("auth.login", 'auth.login\n  needs: ["2"]')), "own")
    with pytest.raises(PlaybookError, match="waits for itself"):
        check_needs([circle])


def test_a_condition_of_a_need_that_names_nothing_is_an_error_with_its_place(tmp_path):
    playbook = load_playbook(write(tmp_path, CONDITIONAL), "own")
    with pytest.raises(PlaybookError, match="'transfer' is undefined") as caught:
        plan(playbook.steps, Selection(), {})
    assert caught.value.place.line == 8


def test_an_unknown_module_offers_the_nearest(tmp_path):
    playbook = load_playbook(write(tmp_path, GOOD.replace("gke.cluster", "gke.clutser")), "own")
    with pytest.raises(PlaybookError) as caught:
        bind(playbook.steps[1], ModuleLibrary("runbook.steps"), {})
    assert caught.value.remedy == "did you mean gke.cluster?"


def test_arguments_must_fit_the_module(tmp_path):
    playbook = load_playbook(write(tmp_path, GOOD + "  with: {sate: absent}\n"), "own")
    with pytest.raises(PlaybookError, match="has no 'sate'") as caught:
        bind(playbook.steps[1], ModuleLibrary("runbook.steps"), {})
    assert caught.value.remedy == "did you mean state?"


def test_expressions_keep_their_type_and_are_strict():
    place = Place("own.yml", 3)
    assert render("{{ bench.prompts }}", {"bench": {"prompts": 24}}, place) == 24
    assert render("job-{{ name }}", {"name": "a"}, place) == "job-a"
    with pytest.raises(PlaybookError, match="nmae"):
        render("{{ nmae }}", {"name": "a"}, place)


@pytest.mark.parametrize(
    ("when", "runs"), [("bench.on", False), ("{{ bench.on }}", False), ("not bench.on", True), (True, True)]
)
def test_when_is_an_expression_with_or_without_braces(when, runs):
    assert condition(when, {"bench": {"on": False}}, Place("own.yml", 3)) is runs


def test_a_line_refuses_two_steps_of_one_section(tmp_path):
    own = load_playbook(write(tmp_path, GOOD), "own")
    with pytest.raises(PlaybookError, match="section '1' is already taken"):
        refuse_twins([*own.steps, *load_playbook(tmp_path, "own").steps])


def test_a_text_that_looks_like_a_number_stays_a_text():
    assert render("{{ zone }}", {"zone": "64"}, Place("own.yml", 3)) == "64"


def test_an_expression_that_cannot_be_judged_is_an_error_with_its_place():
    with pytest.raises(PlaybookError, match="'<' not supported") as caught:
        condition("name < 3", {"name": "a"}, Place("own.yml", 3))
    assert caught.value.place == Place("own.yml", 3)
