"""A model folder small enough to be written for each test, and the programs started as a user starts them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
TEXT = (
    " the a of in is with city on water hills river road has keeps people good great small old bright long"
    " The It There Most This In every place town near by from streets houses"
)
WORDS = TEXT.split()
SPECIAL = ("<|startoftext|>", "<|endoftext|>", "<|return|>", "<|start|>", "<|message|>", "<|end|>")
PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEMPLATE = (
    "<|start|>system<|message|>Current date: {{ strftime_now('%Y-%m-%d') }}<|end|>"
    "{% for message in messages %}<|start|>{{ message.role }}<|message|>{{ message.content }}<|end|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)


def tokenizer_json() -> dict[str, object]:
    """Byte-level BPE whose merges spell out a few whole words."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spare = iter(range(0x100, 0x200))
    symbols = [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]
    vocabulary = {symbol: id_ for id_, symbol in enumerate(symbols)}
    merges: list[list[str]] = []
    for word in [f"Ġ{word}" for word in WORDS] + WORDS:
        for end in range(2, len(word) + 1):
            if word[:end] not in vocabulary:
                vocabulary[word[:end]] = len(vocabulary)
                merges.append([word[: end - 1], word[end - 1]])
    added = [
        {"id": len(vocabulary) + number, "content": content, "special": True}
        for number, content in enumerate(SPECIAL)
    ]
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            ],
        },
        "post_processor": {"type": "ByteLevel"},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    }


def write_shard(path: Path, tensors: list[str]) -> None:
    """A genuine safetensors file: each tensor is one bfloat16."""
    header = {
        name: {"dtype": "BF16", "shape": [1], "data_offsets": [2 * number, 2 * number + 2]}
        for number, name in enumerate(tensors)
    }
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + b"\0\0" * len(tensors))


def write_model(folder: Path) -> Path:
    """A gpt-oss shaped model folder with two shards."""
    folder.mkdir(parents=True)
    shards = {
        "model-00000-of-00002.safetensors": ["model.embed_tokens.weight", "model.norm.weight"],
        "model-00001-of-00002.safetensors": ["lm_head.weight"],
    }
    for name, tensors in shards.items():
        write_shard(folder / name, tensors)
    weight_map = {tensor: name for name, tensors in shards.items() for tensor in tensors}
    config = {
        "architectures": ["GptOssForCausalLM"],
        "model_type": "gpt_oss",
        "max_position_embeddings": 131072,
        "num_attention_heads": 64,
    }
    documents = {
        "model.safetensors.index.json": {"metadata": {"total_size": 6}, "weight_map": weight_map},
        "config.json": config,
        "tokenizer.json": tokenizer_json(),
        "tokenizer_config.json": {"eos_token": "<|return|>", "tokenizer_class": "PreTrainedTokenizerFast"},
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    url: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def read_log(self) -> str:
        return self.log.read_text()

    def metric(self, name: str, *labels: str) -> float:
        page = requests.get(f"{self.url}/metrics", timeout=10).text
        lines = [line for line in page.splitlines() if re.match(rf"{re.escape(name)}(\{{| )", line)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if all(label in line for label in labels))

    def wait_for(self, metric: str, value: float) -> None:
        for _ in range(400):
            if self.metric(metric) == value:
                return
            time.sleep(0.02)
        raise AssertionError(f"{metric} is {self.metric(metric)}, not {value}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


def environment(**extra: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("REHEARSAL_", "VLLM_"))}
    return kept | {"PYTHONPATH": str(ROOT)} | extra


def start(program: str, *arguments: str, log: Path, **extra: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", f"rehearsal.serving.{program}", *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(**extra),
            cwd=log.parent,
        )


def run(program: str, *arguments: str, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"rehearsal.serving.{program}", *arguments],
        capture_output=True,
        text=True,
        env=environment(**extra),
        cwd=cwd,
        timeout=60,
        check=False,
    )


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}:\n{log.read_text()}")
        try:
            if requests.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"the server does not answer:\n{log.read_text()}")


StartServer = Callable[..., Server]
