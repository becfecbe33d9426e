"""The tiny model's tokenizer: byte-level BPE with some English merges and harmony's special tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rehearsal.documents import Document
from rehearsal.hub.checkpoint.config import FIRST_SPECIAL_TOKEN, SPECIAL_TOKENS, token_id

_WORDS = Path(__file__).with_name("words.txt")
_NAMED = {"bos_token": "<|startoftext|>", "eos_token": "<|return|>", "pad_token": "<|endoftext|>"}


def tokenizer() -> Document:
    """Write tokenizer.json."""
    letters = [_letter(octet) for octet in range(256)]
    merges = list(_merges(FIRST_SPECIAL_TOKEN - len(letters)))
    vocabulary = letters + [left + right for left, right in merges]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": token_id(name), **_added(name)} for name in SPECIAL_TOKENS],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(vocabulary)},
            "merges": [f"{left} {right}" for left, right in merges],
        },
    }


def tokenizer_config() -> Document:
    """Write tokenizer_config.json."""
    return {
        "added_tokens_decoder": {str(token_id(name)): _added(name) for name in SPECIAL_TOKENS},
        **_NAMED,
        "clean_up_tokenization_spaces": False,
        "extra_special_tokens": {},
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": 1000000000000000019884624838656,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def special_tokens_map() -> Document:
    """Write special_tokens_map.json."""
    return dict(_NAMED)


def _added(name: str) -> Document:
    return {
        "content": name,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _letter(octet: int) -> str:
    """Write a byte as the printable character that stands for it in byte-level BPE, as GPT-2 chose them."""
    if 33 <= octet <= 126 or 161 <= octet <= 172 or octet >= 174:
        return chr(octet)
    shifted = octet if octet <= 32 else octet - 127 + 33 if octet <= 160 else 67
    return chr(256 + shifted)


def _merges(count: int) -> Iterator[tuple[str, str]]:
    """Build each word from its letters, from the left, with the space before it."""
    seen: set[str] = set()
    for word in _WORDS.read_text(encoding="ascii").split():
        text = _letter(32) + word
        for end in range(1, len(text)):
            left, right = text[:end], text[end]
            if left + right not in seen and len(seen) < count:
                seen.add(left + right)
                yield left, right
