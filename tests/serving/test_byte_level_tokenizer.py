"""The tokenizer: what it encodes it decodes, in the pieces that tokenizer.json says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.serving.pre_tokenizer import GPT2_PATTERN, splitter
from rehearsal.serving.tokenizer import Tokenizer, TokenizerMissingError, load

O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@pytest.fixture(scope="module")
def tokenizer(shared_model: Path) -> Tokenizer:
    return load(shared_model, str(shared_model))


@pytest.mark.parametrize(
    "text", ["San Francisco is a", "naïve façade — 東京 🚄\n\n  x=1;", "tab\there", "\x00\x7f", "Ünïcødé 𝒜𝓂"]
)
def test_decoding_gives_the_text_back(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_word_of_the_vocabulary_is_one_token(tokenizer: Tokenizer) -> None:
    assert len(tokenizer.encode(" city")) == 1
    assert len(tokenizer.encode(" the city with hills")) == 4


def test_a_special_token_is_found_in_text(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("<|start|>the<|end|>")
    assert len(ids) == 3
    assert {ids[0], ids[2]} <= tokenizer.special_ids
    assert tokenizer.decode(ids, skip_special=True) == "the"


def test_words_are_cut_as_gpt_oss_cuts_them() -> None:
    words = splitter({"type": "Split", "pattern": {"Regex": O200K}}).findall("HelloWorld's 12345 ?!\n  END x")
    assert words == ["Hello", "World's", " ", "123", "45", " ?!\n", " ", " END", " x"]


def test_words_are_cut_as_gpt2_cuts_them() -> None:
    words = splitter({"type": "ByteLevel"}).findall("It's 2026,  yes")
    assert words == ["It", "'s", " 2026", ",", " ", " yes"]
    assert GPT2_PATTERN


@pytest.mark.parametrize(
    "description", [{"type": "Split", "pattern": {"Regex": O200K}}, {"type": "ByteLevel"}]
)
def test_a_letter_from_elsewhere_changes_nothing_before_it(description: dict[str, Any]) -> None:
    text = " It's the YEAR 2026,\tyes?\n  END"
    words = splitter(description)
    assert words.findall(f"{text} Größe 東京") == [*words.findall(text), " Größe", " 東京"]


def test_another_kind_of_tokenizer_is_refused() -> None:
    with pytest.raises(ValueError, match="byte-level BPE tokenizers only"):
        Tokenizer({"model": {"type": "Unigram", "vocab": []}})


def test_a_folder_that_is_not_there_is_refused_in_the_hub_library_s_words(tmp_path: Path) -> None:
    with pytest.raises(
        TokenizerMissingError, match=r"Repo id must be in the form .* '/nonexistent/tok'\. Use"
    ):
        load(tmp_path / "tok", "/nonexistent/tok")


def test_a_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenizerMissingError, match="Can't load tokenizer for '/model-vol-mount/m'"):
        load(tmp_path, "/model-vol-mount/m")
