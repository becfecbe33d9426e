"""All files of the repository: what serving needs, and the two further copies that it never reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from rehearsal.documents import Document
from rehearsal.hub.checkpoint.config import generation_config, model_config
from rehearsal.hub.checkpoint.safetensors import index, serialize, shards
from rehearsal.hub.checkpoint.tensors import Tensor, tensors
from rehearsal.hub.checkpoint.tokenizer import special_tokens_map, tokenizer, tokenizer_config

VERSION = 1
"""To be raised with every change of what is made here, for what was made before is taken as it is."""

_TEXTS = Path(__file__).with_name("files")


def build(home: Path) -> Path:
    """Make the repository's files below a folder, once; a kill leaves all of them or none.

    Returns:
        the folder that holds them.
    """
    folder = home / f"checkpoint-{VERSION}"
    if folder.is_dir():
        return folder
    unfinished = home / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    for name, content in _files():
        path = unfinished / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    unfinished.rename(folder)
    return folder


def _files() -> Iterator[tuple[str, bytes]]:
    every = list(tensors())
    for text in _TEXTS.iterdir():
        yield text.name.replace("gitattributes", ".gitattributes"), text.read_bytes()
    yield from _sharded(every, 15, "model-{:05}-of-00014.safetensors", first=0)
    yield from _sharded(every, 7, "original/model--{:05}-of-00007.safetensors", first=1)
    yield "metal/model.bin", serialize(every)
    yield "config.json", _json(model_config())
    yield "generation_config.json", _json(generation_config())
    yield "tokenizer.json", _json(tokenizer())
    yield "tokenizer_config.json", _json(tokenizer_config())
    yield "special_tokens_map.json", _json(special_tokens_map())
    yield "original/config.json", _json(model_config())
    yield "original/dtypes.json", _json({tensor.name: "BF16" for tensor in every})


def _sharded(every: list[Tensor], count: int, name: str, first: int) -> Iterator[tuple[str, bytes]]:
    parts = {name.format(number): part for number, part in enumerate(shards(every, count), first)}
    for file, part in parts.items():
        yield file, serialize(part)
    folder = name.rpartition("/")[0]
    local = {file.removeprefix(f"{folder}/"): part for file, part in parts.items()}
    yield f"{folder}/model.safetensors.index.json".lstrip("/"), _json(index(local))


def _json(document: Document) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
