"""What vLLM checks of a model before it serves it: configuration and every weight shard."""

from __future__ import annotations

import argparse
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST_HEADER_BYTES = 100_000_000
INDEX = "model.safetensors.index.json"


class ModelError(Exception):
    """The model cannot be served.

    Args:
        called: the exception's name in the real traceback.
        message: its text.
    """

    def __init__(self, called: str, message: str) -> None:
        super().__init__(message)
        self.called = called


@dataclass(frozen=True)
class Model:
    """A model folder's configuration.

    Args:
        name: the path or name that the command line gave.
        folder: where its files are on this machine.
        config: parsed config.json.
        max_model_len: tokens of prompt and answer together.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    max_model_len: int

    @property
    def architecture(self) -> str:
        """The model's class, as config.json names it."""
        return str(self.config["architectures"][0])


def configuration(options: argparse.Namespace, folder: Path) -> Model:
    """Read config.json and check the command line against it.

    Raises:
        ModelError: in vLLM's words.
    """
    config = _config(options.model, folder)
    longest = int(config.get("max_position_embeddings", 0)) or None
    _check_parallelism(options, config)
    _check_batch(options)
    return Model(options.model, folder, config, _max_model_len(options.max_model_len, longest))


def shards(model: Model) -> list[Path]:
    """Name the weight files, in order; those of the index, else every *.safetensors of the folder.

    Raises:
        ModelError: there is none, or one that the index names is missing.
    """
    index = model.folder / INDEX
    if not index.is_file():
        found = sorted(model.folder.glob("*.safetensors"))
        if not found:
            raise ModelError("RuntimeError", f"Cannot find any model weights with `{model.name}`")
        return found
    weight_map: dict[str, str] = _json(index)["weight_map"]
    missing = {name for name, file in weight_map.items() if not (model.folder / file).is_file()}
    if missing:
        files = sorted({weight_map[name] for name in missing})
        raise ModelError(
            "ValueError",
            f"Following weights were not initialized from checkpoint: {set(sorted(missing)[:5])!r}"
            f" ({len(missing)} tensors; no such file: {', '.join(files)})",
        )
    return [model.folder / file for file in sorted(set(weight_map.values()))]


def check_shard(model: Model, shard: Path) -> int:
    """Check a weight file against its own header and the index.

    Returns:
        bytes of tensors in it.

    Raises:
        ModelError: in the words of the safetensors library.
    """
    with shard.open("rb") as file:
        first = file.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if not 0 < length <= LARGEST_HEADER_BYTES:
            raise _broken(shard, "HeaderTooLarge" if length else "HeaderTooSmall")
        header_bytes = file.read(length)
    try:
        header: dict[str, Any] = json.loads(header_bytes)
    except ValueError as error:
        raise _broken(shard, "InvalidHeaderDeserialization") from error
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    held = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
    if 8 + length + held != shard.stat().st_size:
        raise _broken(shard, "MetadataIncompleteBuffer")
    _check_index(model, shard, set(tensors))
    return held


def _check_index(model: Model, shard: Path, tensors: set[str]) -> None:
    index = model.folder / INDEX
    if index.is_file():
        promised = {name for name, file in _json(index)["weight_map"].items() if file == shard.name}
        if promised - tensors:
            raise ModelError(
                "ValueError",
                f"Following weights were not initialized from checkpoint: {promised - tensors!r}",
            )


def _broken(shard: Path, cause: str) -> ModelError:
    return ModelError(
        "safetensors_rust.SafetensorError", f"Error while deserializing header: {cause} ({shard.name})"
    )


def _config(name: str, folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ModelError(
            "huggingface_hub.errors.HFValidationError",
            f"Repo id must be in the form 'repo_name' or 'namespace/repo_name': '{name}'."
            " Use `repo_type` argument if needed.",
        )
    file = folder / "config.json"
    if not file.is_file():
        raise ModelError("ValueError", _NO_CONFIG.format(name=name))
    config = _json(file)
    if not config.get("architectures"):
        raise ModelError(
            "ValueError", f"Model architectures {config.get('architectures')} failed to be inspected."
        )
    return config


def _max_model_len(wanted: int | None, longest: int | None) -> int:
    if wanted is not None and longest is not None and wanted > longest:
        raise ModelError(
            "pydantic_core._pydantic_core.ValidationError", _TOO_LONG.format(wanted=wanted, longest=longest)
        )
    return wanted or longest or 2048


def _check_parallelism(options: argparse.Namespace, config: dict[str, Any]) -> None:
    heads = config.get("num_attention_heads")
    if heads and heads % options.tensor_parallel_size:
        raise ModelError(
            "pydantic_core._pydantic_core.ValidationError",
            "1 validation error for VllmConfig\n"
            f"  Value error, Total number of attention heads ({heads}) must be divisible by tensor parallel"
            f" size ({options.tensor_parallel_size}).",
        )


def _check_batch(options: argparse.Namespace) -> None:
    batched, sequences = options.max_num_batched_tokens, options.max_num_seqs
    if batched is not None and sequences is not None and batched < sequences:
        raise ModelError(
            "pydantic_core._pydantic_core.ValidationError",
            "1 validation error for SchedulerConfig\n"
            f"  Value error, max_num_batched_tokens ({batched}) must be greater than or equal to max_num_seqs"
            f" ({sequences}).",
        )


def _json(file: Path) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(
            "OSError", f"It looks like the config file at '{file.name}' is not a valid JSON file."
        ) from error
    return parsed


_NO_CONFIG = """Invalid repository ID or local directory specified: '{name}'.
Please verify the following requirements:
1. Provide a valid Hugging Face repository ID.
2. Specify a local directory that contains a recognized configuration file.
   - For Hugging Face models: ensure the presence of a 'config.json'.
   - For Mistral models: ensure the presence of a 'params.json'."""

_TOO_LONG = (
    "1 validation error for ModelConfig\n"
    "  Value error, User-specified max_model_len ({wanted}) is greater than the derived max_model_len"
    " (max_position_embeddings={longest} or model_max_length=None in model's config.json)."
    " To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1."
    " VLLM_ALLOW_LONG_MAX_MODEL_LEN must be used with extreme caution."
    " If the model uses relative position encoding (RoPE), positions exceeding derived_max_model_len lead to"
    " nan."
    " If the model uses absolute position encoding, positions exceeding derived_max_model_len will cause a"
    " CUDA array out-of-bounds error."
)
