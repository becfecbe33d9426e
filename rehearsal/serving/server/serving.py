"""What the HTTP handlers share: the model's names, its tokenizer, the engines and how an answer is begun."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from rehearsal.serving.chat_template import ChatTemplate
from rehearsal.serving.prose import Prose
from rehearsal.serving.release import Release
from rehearsal.serving.server.engine import Engine, Generation, least_loaded
from rehearsal.serving.server.errors import unknown_model
from rehearsal.serving.server.parameters import Sampling, answer_room
from rehearsal.serving.tokenizer import Tokenizer


@dataclass
class Serving:
    """A model being served.

    Args:
        names: what clients may call it; the first is the one that answers carry.
        root: path or name that it was loaded from.
        max_model_len: tokens of a prompt and its answer together.
    """

    names: list[str]
    root: str
    max_model_len: int
    tokenizer: Tokenizer
    template: ChatTemplate | None
    engines: list[Engine]
    release: Release
    prose: Prose = field(init=False)

    def __post_init__(self) -> None:
        self.prose = Prose(self.tokenizer)
        self._token_texts: dict[int, str] = {}
        self._varied = itertools.count(1)

    def check_model(self, model: str | None) -> None:
        """Refuse a model that is not served; none at all means the one there is.

        Raises:
            RefusalError: 404.
        """
        if model and model not in self.names:
            raise unknown_model(model, self.names)

    def begin(
        self, prompt: str, prompt_tokens: int, wanted: Sampling, choice: int
    ) -> tuple[Engine, Generation]:
        """Queue one answer.

        Args:
            choice: which of the `n` answers to the same prompt.

        Returns:
            the engine that works on it, and the answer in the making.

        Raises:
            RefusalError: it does not fit the context.
        """
        room = answer_room(wanted.max_tokens, prompt_tokens, self.max_model_len, self.release)
        continuation = self.prose.continue_(prompt, self._seed(wanted, choice))
        # The end-of-text token is a token of the answer, without text.
        natural = max(continuation.natural_length + 1, wanted.min_tokens)
        ends = not wanted.ignore_eos and natural <= room
        generation = Generation(
            prompt_tokens=prompt_tokens,
            length=natural if ends else room,
            finish_reason="stop" if ends else "length",
            continuation=continuation,
            max_tokens=room,
        )
        self._end_at_stop(generation, wanted)
        engine = least_loaded(self.engines)
        engine.submit(generation)
        return engine, generation

    def texts(self, generation: Generation, first: int, last: int) -> list[str]:
        """The text of each token from index first up to, and without, index last."""
        if generation.cut_texts is not None:
            return list(generation.cut_texts[first:last])
        texts = [self._text(id_) for id_ in generation.continuation.tokens(first, last)]
        if generation.finish_reason == "stop" and last == generation.length and texts:
            texts[-1] = ""  # the end-of-text token
        return texts

    def _text(self, id_: int) -> str:
        text = self._token_texts.get(id_)
        if text is None:
            text = self._token_texts[id_] = self.tokenizer.decode([id_])
        return text

    def _seed(self, wanted: Sampling, choice: int) -> int:
        if wanted.seed is not None:
            return wanted.seed + choice
        return choice if wanted.temperature == 0 else zlib.crc32(str(next(self._varied)).encode())

    def _end_at_stop(self, generation: Generation, wanted: Sampling) -> None:
        if not wanted.stop:
            return
        texts = self.texts(generation, 0, generation.length)
        found = _first_stop("".join(texts), wanted.stop, sum(map(len, texts[: wanted.min_tokens])))
        if found is not None:
            position, generation.stopped_by = found
            generation.cut_texts = _cut(texts, position, position + len(generation.stopped_by))
            generation.length = len(generation.cut_texts)
            generation.finish_reason = "stop"


def _first_stop(text: str, stops: Sequence[str], after: int) -> tuple[int, str] | None:
    found = [(text.find(stop, after), stop) for stop in stops]
    return min(((position, stop) for position, stop in found if position >= 0), default=None)


def _cut(texts: Sequence[str], shown: int, needed: int) -> tuple[str, ...]:
    """Keep the tokens that hold the first `needed` characters, and of their text the first `shown`."""
    kept: list[str] = []
    position = 0
    for text in texts:
        if position >= needed:
            break
        kept.append(text[: max(0, shown - position)])
        position += len(text)
    return tuple(kept)
