"""Byte-level BPE as `tokenizer.json` describes it: text to token ids and back."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rehearsal.serving.pre_tokenizer import splitter

CACHED_WORDS = 50_000


class TokenizerMissingError(OSError):
    """A model folder has no tokenizer that can be read."""


class Tokenizer:
    """A byte-level BPE tokenizer.

    Args:
        description: the parsed tokenizer.json.

    Raises:
        ValueError: when it describes another kind of tokenizer.
    """

    def __init__(self, description: dict[str, Any]) -> None:
        model = description["model"]
        if model.get("type", "BPE") != "BPE":
            raise ValueError(f"the rehearsal reads byte-level BPE tokenizers only, not {model['type']}")
        self._vocabulary: dict[str, int] = model["vocab"]
        self._ranks = {_pair(merge): rank for rank, merge in enumerate(model["merges"])}
        self._whole_words = bool(model.get("ignore_merges"))
        self._words = splitter(description.get("pre_tokenizer"))
        self._composed = (description.get("normalizer") or {}).get("type") == "NFC"
        self._added = {token["content"]: token["id"] for token in description.get("added_tokens", [])}
        self.special_ids = {t["id"] for t in description.get("added_tokens", []) if t.get("special")}
        self._added_pattern = _alternatives(self._added)
        self._bytes = {id_: _bytes_of(token) for token, id_ in self._vocabulary.items()}
        self._bytes |= {id_: content.encode() for content, id_ in self._added.items()}
        self._cache: dict[str, tuple[int, ...]] = {}

    @property
    def ids(self) -> list[int]:
        """All ids that may stand in ordinary text, ascending: special tokens are left out."""
        return sorted(set(self._bytes) - self.special_ids)

    def encode(self, text: str) -> list[int]:
        """Turn text into token ids; added tokens such as `<|start|>` are found in it."""
        if self._composed:
            text = unicodedata.normalize("NFC", text)
        ids: list[int] = []
        for part in self._added_pattern.split(text) if self._added_pattern else [text]:
            if part in self._added:
                ids.append(self._added[part])
            else:
                self._encode_words(part, ids)
        return ids

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """Turn token ids into text; bytes that are not UTF-8 become the replacement character.

        Raises:
            KeyError: an id is not in the vocabulary.
        """
        hidden = self.special_ids if skip_special else frozenset[int]()
        return b"".join(self._bytes[id_] for id_ in ids if id_ not in hidden).decode(errors="replace")

    def _encode_words(self, text: str, ids: list[int]) -> None:
        for word in self._words.findall(text):
            known = self._cache.get(word)
            if known is None:
                known = self._merge(word)
                if len(self._cache) < CACHED_WORDS:
                    self._cache[word] = known
            ids.extend(known)

    def _merge(self, word: str) -> tuple[int, ...]:
        symbols = [_SYMBOL_OF_BYTE[byte] for byte in word.encode()]
        whole = "".join(symbols)
        if self._whole_words and whole in self._vocabulary:
            return (self._vocabulary[whole],)
        while len(symbols) > 1:
            best = min(itertools.pairwise(symbols), key=self._rank)
            if best not in self._ranks:
                break
            symbols = _joined(symbols, best)
        return tuple(self._vocabulary[symbol] for symbol in symbols)

    def _rank(self, pair: tuple[str, str]) -> int:
        return self._ranks.get(pair, len(self._ranks))


def load(folder: Path, name: str) -> Tokenizer:
    """Read a model folder's tokenizer.

    Args:
        folder: where the files are on this machine.
        name: the path as the program was given it, for messages.

    Raises:
        TokenizerMissingError: in transformers' words, when there is no folder or no tokenizer.json.
    """
    if not folder.is_dir():
        raise TokenizerMissingError(
            f"Repo id must be in the form 'repo_name' or 'namespace/repo_name': '{name}'."
            " Use `repo_type` argument if needed."
        )
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise TokenizerMissingError(
            f"Can't load tokenizer for '{name}'. If you were trying to load it from"
            " 'https://huggingface.co/models', make sure you don't have a local directory with the same name."
            f" Otherwise, make sure '{name}' is the correct path to a directory containing all relevant files"
            " for a PreTrainedTokenizerFast tokenizer."
        )
    return Tokenizer(json.loads(file.read_text(encoding="utf-8")))


def _pair(merge: str | list[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _alternatives(contents: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted(contents, key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, longest_first))})") if longest_first else None


def _joined(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    index = 0
    while index < len(symbols):
        if index + 1 < len(symbols) and (symbols[index], symbols[index + 1]) == pair:
            joined.append(symbols[index] + symbols[index + 1])
            index += 2
        else:
            joined.append(symbols[index])
            index += 1
    return joined


def _byte_symbols() -> list[str]:
    """Spell each byte with one printable character, as GPT-2's vocabulary does."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = (chr(point) for point in range(0x100, 0x200))
    return [chr(byte) if byte in printable else next(spare) for byte in range(256)]


_SYMBOL_OF_BYTE = _byte_symbols()
_BYTE_OF_SYMBOL = {symbol: byte for byte, symbol in enumerate(_SYMBOL_OF_BYTE)}


def _bytes_of(token: str) -> bytes:
    if all(symbol in _BYTE_OF_SYMBOL for symbol in token):
        return bytes(_BYTE_OF_SYMBOL[symbol] for symbol in token)
    return token.encode()
