"""What `inv ask` tells of an answer that has no word: the model stopped at once, or Ctrl-C came first."""

from __future__ import annotations

import json

import pytest

from runbook.cli.ask import _Answer
from runbook.clients.serving import Piece


def ended(*pieces: Piece, as_json: bool, finish_reason: str | None = None) -> None:
    answer = _Answer(as_json=as_json, rehearsed=False, model="gpt-oss-120b", finish_reason=finish_reason)
    answer.begin()
    for piece in pieces:
        answer.add(piece)
    answer.end()


def test_a_model_that_stops_at_once_has_answered(capsys: pytest.CaptureFixture[str]) -> None:
    ended(Piece("", "stop"), Piece("", None, 5, 1), as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "event": "answer_ended",
        "model": "gpt-oss-120b",
        "finish_reason": "stop",
        "prompt_tokens": 5,
        "completion_tokens": 1,
        "time_to_first_token_s": None,
        "tokens_per_s": None,
        "seconds": None,
        "rehearsal": False,
    }


def test_who_gives_up_before_the_first_token_is_told_that_there_was_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended(as_json=False, finish_reason="interrupted")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("\n", "0 tokens (interrupted)\n")
