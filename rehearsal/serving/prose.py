"""Readable English without a model, in the words of a tokenizer; the same for the same prompt."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rehearsal.serving import lexicon

PASSAGE_SENTENCES = 160
LONGEST_ANSWER_SENTENCES = 6
ENOUGH_WORDS = 3
_LAST_WORDS = re.compile(r"(?P<name>[A-Z][a-z]+ (?:is|was) )?(?P<word>[\w']+)(?P<space>\s*)$")


class Encoder(Protocol):
    """What prose needs of a tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Turn text into token ids."""
        ...


@dataclass(frozen=True)
class Continuation:
    """An endless continuation of one prompt: its own opening, then the passage, round and round.

    Args:
        opening: token ids that fit the prompt's last words, up to a full stop.
        passage: token ids shared by all continuations.
        start: where in the passage this one goes on.
        natural_length: tokens after which a model would say that it is done.
    """

    opening: tuple[int, ...]
    passage: tuple[int, ...]
    start: int
    natural_length: int

    def tokens(self, first: int, last: int) -> list[int]:
        """The token ids from index first up to, and without, index last."""
        return [self._token(index) for index in range(first, last)]

    def _token(self, index: int) -> int:
        beyond = index - len(self.opening)
        return self.opening[index] if beyond < 0 else self.passage[(self.start + beyond) % len(self.passage)]


class Prose:
    """Writes continuations.

    Args:
        tokenizer: whose vocabulary decides which words are preferred: those that are one token.
    """

    def __init__(self, tokenizer: Encoder) -> None:
        self._tokenizer = tokenizer
        self._adjectives = self._short(lexicon.ADJECTIVES)
        self._places = self._short(lexicon.PLACES)
        self._nouns = self._short(lexicon.NOUNS)
        self._plurals = self._short(lexicon.PLURALS)
        self._verbs = self._short(lexicon.VERBS)
        self._prepositions = self._short(lexicon.PREPOSITIONS)
        self._of_a_place = self._short(lexicon.OF_A_PLACE)
        self._adverbs = self._short(lexicon.ADVERBS)
        self._starts = self._short(lexicon.STARTS)
        self._passage, self._sentence_starts = self._write_passage()

    def continue_(self, prompt: str, seed: int) -> Continuation:
        """Begin a continuation.

        Args:
            prompt: the text that it follows.
            seed: another seed gives another text for the same prompt.
        """
        chance = random.Random(zlib.crc32(prompt.encode()) ^ seed)  # noqa: S311 - reproducible text, no secret
        opening = tuple(self._tokenizer.encode(self._opening(prompt, chance)))
        sentence = chance.randrange(len(self._sentence_starts))
        start = self._sentence_starts[sentence]
        last = (sentence + chance.randint(1, LONGEST_ANSWER_SENTENCES)) % len(self._sentence_starts)
        rest = (self._sentence_starts[last] - start) % len(self._passage)
        return Continuation(opening, self._passage, start, len(opening) + rest)

    def _short(self, words: tuple[str, ...]) -> tuple[str, ...]:
        whole = tuple(word for word in words if len(self._tokenizer.encode(f" {word}")) == 1)
        return whole if len(whole) >= ENOUGH_WORDS else words

    def _write_passage(self) -> tuple[tuple[int, ...], list[int]]:
        chance = random.Random(0)  # noqa: S311 - reproducible text, no secret
        tokens: list[int] = []
        starts: list[int] = []
        for _ in range(PASSAGE_SENTENCES):
            starts.append(len(tokens))
            tokens += self._tokenizer.encode(f" {self._sentence(chance)}.")
        return tuple(tokens), starts

    def _opening(self, prompt: str, chance: random.Random) -> str:
        found = _LAST_WORDS.search(prompt)
        if found is None:
            return f" {self._sentence(chance)}."
        phrase = self._phrase_after(found["word"].lower(), named=bool(found["name"]))(chance)
        return f"{'' if found['space'] else ' '}{phrase}."

    def _phrase_after(self, word: str, *, named: bool) -> Callable[[random.Random], str]:
        if word in {"a", "an"}:
            return lambda chance: self._described(chance, self._places if named else self._nouns, word)
        if word in {"is", "was", "are", "were"}:
            return lambda chance: f"a {self._described(chance, self._places, 'a')}"
        if word in {"the", "this", "that", "my", "our", "your", "its"}:
            return lambda chance: self._described(chance, self._nouns, "the")
        if word in lexicon.PREPOSITIONS or word in {"to", "at", "and", "or"}:
            return self._noun_phrase
        return lambda chance: f"{chance.choice(self._verbs)} {self._noun_phrase(chance)}"

    def _described(self, chance: random.Random, nouns: tuple[str, ...], article: str) -> str:
        vowel_first = {"a": False, "an": True}.get(article)
        fitting = [n for n in nouns if vowel_first is None or (n[0] in "aeiou") == vowel_first]
        preposition = chance.choice(self._of_a_place)
        return f"{chance.choice(fitting or nouns)} {preposition} {self._many(chance)} {self._ending(chance)}"

    def _sentence(self, chance: random.Random) -> str:
        start = chance.choice(self._starts)
        adverb = f"{chance.choice(self._adverbs)} " if chance.random() < 0.3 else ""
        rest = f"{adverb}{chance.choice(self._verbs)} {self._noun_phrase(chance)} {self._ending(chance)}"
        match start:
            case "It":
                return f"It {rest}"
            case "There":
                return f"There is {self._noun_phrase(chance)} {self._ending(chance)}"
            case "In":
                return f"In the {chance.choice(self._nouns)} it {rest}"
            case "Most" | "Some":
                return f"{start} {self._many(chance)} are {self._ending(chance)}"
            case _:
                return f"{start} {chance.choice(self._nouns)} {rest}"

    def _ending(self, chance: random.Random) -> str:
        return f"{chance.choice(self._prepositions)} the {chance.choice(self._nouns)}"

    def _noun_phrase(self, chance: random.Random) -> str:
        return f"the {chance.choice(self._adjectives)} {chance.choice(self._nouns)}"

    def _many(self, chance: random.Random) -> str:
        return f"{chance.choice(self._adjectives)} {chance.choice(self._plurals)}"
