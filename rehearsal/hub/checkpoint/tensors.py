"""The tiny model's tensors: gpt-oss's names and shapes, bfloat16 values, the same on every machine."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.hub.checkpoint.config import (
    EXPERTS,
    HEAD,
    HEADS,
    HIDDEN,
    INTERMEDIATE,
    KEY_VALUE_HEADS,
    LAYERS,
    VOCABULARY,
)

_ONE = b"\x80\x3f"
_SMALL = bytes((0x3C, 0xBC, 0x3D, 0xBD)[octet % 4] for octet in range(256))
"""High bytes of bfloat16 values between 0.008 and 0.125, of both signs."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of the checkpoint.

    Args:
        shape: its dimensions.
        data: bfloat16, little-endian, row by row.
    """

    name: str
    shape: tuple[int, ...]
    data: bytes


def tensors() -> Iterator[Tensor]:
    """Make all tensors, in the order of the model."""
    yield _random("model.embed_tokens.weight", VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        yield from _layer(f"model.layers.{layer}")
    yield _ones("model.norm.weight", HIDDEN)
    yield _random("lm_head.weight", VOCABULARY, HIDDEN)


def _layer(prefix: str) -> Iterator[Tensor]:
    yield _ones(f"{prefix}.input_layernorm.weight", HIDDEN)
    for name, heads in (("q", HEADS), ("k", KEY_VALUE_HEADS), ("v", KEY_VALUE_HEADS)):
        yield _random(f"{prefix}.self_attn.{name}_proj.weight", heads * HEAD, HIDDEN)
        yield _random(f"{prefix}.self_attn.{name}_proj.bias", heads * HEAD)
    yield _random(f"{prefix}.self_attn.o_proj.weight", HIDDEN, HEADS * HEAD)
    yield _random(f"{prefix}.self_attn.o_proj.bias", HIDDEN)
    yield _random(f"{prefix}.self_attn.sinks", HEADS)
    yield _ones(f"{prefix}.post_attention_layernorm.weight", HIDDEN)
    yield _random(f"{prefix}.mlp.router.weight", EXPERTS, HIDDEN)
    yield _random(f"{prefix}.mlp.router.bias", EXPERTS)
    yield _random(f"{prefix}.mlp.experts.gate_up_proj", EXPERTS, HIDDEN, 2 * INTERMEDIATE)
    yield _random(f"{prefix}.mlp.experts.gate_up_proj_bias", EXPERTS, 2 * INTERMEDIATE)
    yield _random(f"{prefix}.mlp.experts.down_proj", EXPERTS, INTERMEDIATE, HIDDEN)
    yield _random(f"{prefix}.mlp.experts.down_proj_bias", EXPERTS, HIDDEN)


def _random(name: str, *shape: int) -> Tensor:
    count = math.prod(shape)
    noise = hashlib.shake_256(name.encode()).digest(2 * count)
    data = bytearray(2 * count)
    data[0::2] = noise[:count]
    data[1::2] = noise[count:].translate(_SMALL)
    return Tensor(name, shape, bytes(data))


def _ones(name: str, *shape: int) -> Tensor:
    return Tensor(name, shape, _ONE * math.prod(shape))
