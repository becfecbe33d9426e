from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from rehearsal.hub.checkpoint import build


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("hub"))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def header(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    tensors: dict[str, Any] = json.loads(content[8 : 8 + length])
    assert tensors.pop("__metadata__") == {"format": "pt"}
    assert length % 8 == 0
    assert max(tensor["data_offsets"][1] for tensor in tensors.values()) == len(content) - 8 - length
    return tensors


def test_the_index_names_every_tensor_and_where_it_is(model: Path) -> None:
    index = read(model / "model.safetensors.index.json")
    found = {name: path.name for path in model.glob("model-*.safetensors") for name in header(path)}
    assert index["weight_map"] == found
    assert len(set(found.values())) == 15


def test_the_tensors_have_the_shapes_that_the_config_says(model: Path) -> None:
    config = read(model / "config.json")
    tensors = {
        name: tensor for path in model.glob("model-*.safetensors") for name, tensor in header(path).items()
    }
    hidden, experts = config["hidden_size"], config["num_local_experts"]
    layer = f"model.layers.{config['num_hidden_layers'] - 1}"
    expected = {
        "model.embed_tokens.weight": [config["vocab_size"], hidden],
        f"{layer}.self_attn.q_proj.weight": [config["num_attention_heads"] * config["head_dim"], hidden],
        f"{layer}.self_attn.k_proj.bias": [config["num_key_value_heads"] * config["head_dim"]],
        f"{layer}.self_attn.sinks": [config["num_attention_heads"]],
        f"{layer}.mlp.router.weight": [experts, hidden],
        f"{layer}.mlp.experts.gate_up_proj": [experts, hidden, 2 * config["intermediate_size"]],
        f"{layer}.mlp.experts.down_proj_bias": [experts, hidden],
    }
    assert {name: tensors[name]["shape"] for name in expected} == expected
    assert len(config["layer_types"]) == config["num_hidden_layers"]


def test_tokens_are_numbered_without_gaps_up_to_the_vocabulary_s_size(model: Path) -> None:
    tokenizer, config = read(model / "tokenizer.json"), read(model / "config.json")
    vocabulary = tokenizer["model"]["vocab"]
    special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    assert sorted([*vocabulary.values(), *special.values()]) == list(range(config["vocab_size"]))
    assert config["eos_token_id"] == special["<|return|>"]
    for merge in tokenizer["model"]["merges"]:
        left, right = merge.split(" ")
        assert {left, right, left + right} <= vocabulary.keys()


def test_what_is_made_is_the_same_everywhere_and_made_once(model: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    files = sorted(path.relative_to(model) for path in model.rglob("*") if path.is_file())
    assert [path for path in files if (again / path).read_bytes() != (model / path).read_bytes()] == []
    made = (again / "config.json").stat().st_mtime_ns
    assert build(tmp_path) == again
    assert (again / "config.json").stat().st_mtime_ns == made
