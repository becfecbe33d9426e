"""vLLM's server command line: the flags that matter here, and those that a real command may carry."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

DEFAULT_MODEL = "Qwen/Qwen3-0.6B"
DEFAULT_PORT = 8000
DEFAULT_MAX_NUM_SEQS = 256
DEFAULT_MAX_NUM_BATCHED_TOKENS = 8192

_MAGNITUDES = {
    "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40,
}  # fmt: skip


def tokens(text: str) -> int:
    """Read a number of tokens as vLLM does: 1k is 1000, 1K is 1024.

    Raises:
        ArgumentTypeError: the text is no such number.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgGtT]?)", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"invalid human_readable_int value: {text!r}")
    return int(float(found[1]) * _MAGNITUDES.get(found[2], 1))


Kind = Callable[[str], Any]

_VALUES: dict[str, tuple[Kind, Any]] = {
    "host": (str, None),
    "port": (int, DEFAULT_PORT),
    "tensor-parallel-size": (int, 1),
    "data-parallel-size": (int, 1),
    "pipeline-parallel-size": (int, 1),
    "max-model-len": (tokens, None),
    "max-num-batched-tokens": (tokens, None),
    "max-num-seqs": (tokens, None),
    "load-format": (str, "auto"),
    "kv-cache-dtype": (str, "auto"),
    "gpu-memory-utilization": (float, 0.9),
    "uvicorn-log-level": (str, "info"),
    "root-path": (str, None),
    "chat-template": (str, None),
    "chat-template-content-format": (str, "auto"),
    "response-role": (str, "assistant"),
    "tool-call-parser": (str, None),
    "reasoning-parser": (str, ""),
    "max-log-len": (int, None),
    "ssl-keyfile": (str, None),
    "ssl-certfile": (str, None),
    "tokenizer": (str, None),
    "tokenizer-mode": (str, "auto"),
    "dtype": (str, "auto"),
    "seed": (int, 0),
    "quantization": (str, None),
    "revision": (str, None),
    "hf-config-path": (str, None),
    "hf-overrides": (json.loads, {}),
    "hf-token": (str, None),
    "config-format": (str, "auto"),
    "runner": (str, "auto"),
    "convert": (str, "auto"),
    "model-impl": (str, "auto"),
    "generation-config": (str, "auto"),
    "override-generation-config": (json.loads, {}),
    "download-dir": (str, None),
    "model-loader-extra-config": (json.loads, {}),
    "ignore-patterns": (str, None),
    "block-size": (int, None),
    "swap-space": (float, 4),
    "cpu-offload-gb": (float, 0),
    "kv-cache-memory-bytes": (tokens, None),
    "num-gpu-blocks-override": (int, None),
    "prefix-caching-hash-algo": (str, "sha256"),
    "distributed-executor-backend": (str, None),
    "data-parallel-rank": (int, None),
    "data-parallel-size-local": (int, None),
    "data-parallel-address": (str, None),
    "data-parallel-rpc-port": (int, None),
    "data-parallel-backend": (str, "mp"),
    "all2all-backend": (str, None),
    "api-server-count": (int, 1),
    "max-parallel-loading-workers": (int, None),
    "max-num-partial-prefills": (int, 1),
    "long-prefill-token-threshold": (int, 0),
    "num-lookahead-slots": (int, 0),
    "scheduling-policy": (str, "fcfs"),
    "max-logprobs": (int, 20),
    "max-seq-len-to-capture": (int, 8192),
    "compilation-config": (json.loads, None),
    "additional-config": (json.loads, {}),
    "speculative-config": (json.loads, None),
    "kv-transfer-config": (json.loads, None),
    "kv-events-config": (json.loads, None),
    "limit-mm-per-prompt": (json.loads, {}),
    "mm-processor-cache-gb": (float, 4),
    "mm-encoder-tp-mode": (str, "weights"),
    "optimization-level": (int, 2),
    "profiler-config": (json.loads, None),
    "otlp-traces-endpoint": (str, None),
}

_SWITCHES = (
    "enable-prefix-caching",
    "async-scheduling",
    "enable-chunked-prefill",
    "enable-expert-parallel",
    "enable-auto-tool-choice",
    "enable-log-requests",
    "enable-eplb",
    "enable-lora",
    "enforce-eager",
    "disable-custom-all-reduce",
    "disable-hybrid-kv-cache-manager",
    "disable-sliding-window",
    "skip-tokenizer-init",
    "trust-remote-code",
    "language-model-only",
    "enable-sleep-mode",
    "use-tqdm-on-load",
)

_PLAIN_SWITCHES = (
    "disable-log-stats",
    "disable-log-requests",
    "disable-uvicorn-access-log",
    "disable-fastapi-docs",
    "enable-request-id-headers",
    "headless",
    "return-tokens-as-token-ids",
    "enable-prompt-tokens-details",
    "enable-server-load-tracking",
)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the arguments of `python -m vllm.entrypoints.openai.api_server` or of `vllm serve MODEL`.

    Exits with 2 and vLLM's message when a flag is unknown or a value is wrong.
    """
    words = [_dashed(argument) for argument in arguments]
    served = bool(words) and words[0] == "serve"
    parser = _parser(served=served)
    options = parser.parse_args(words[1:] if served else words)
    options.model = options.model_tag or options.model
    return options


def non_default(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments that were given, as vLLM logs them; the API key is not shown."""
    parser = _parser(served=False)
    given = {k: v for k, v in vars(options).items() if v != parser.get_default(k)}
    return {k: ["***"] if k == "api_key" else v for k, v in given.items()}


def _parser(*, served: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vllm" if served else "api_server.py",
        usage="vllm serve [model_tag] [options]" if served else None,
        allow_abbrev=False,
    )
    parser.add_argument("model_tag", nargs="?", default=None)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--served-model-name", nargs="+", default=None)
    parser.add_argument("--api-key", nargs="+", default=None)
    for name, (kind, default) in _VALUES.items():
        parser.add_argument(f"--{name}", *_SHORT.get(name, ()), type=kind, default=default)
    for name in _SWITCHES:
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None)
    for name in _PLAIN_SWITCHES:
        parser.add_argument(f"--{name}", action="store_true")
    for name in ("allowed-origins", "allowed-methods", "allowed-headers", "middleware"):
        parser.add_argument(f"--{name}", action="append", default=None)
    return parser


_SHORT = {
    "tensor-parallel-size": ("-tp",),
    "data-parallel-size": ("-dp",),
    "pipeline-parallel-size": ("-pp",),
    "quantization": ("-q",),
    "compilation-config": ("-O",),
}


def _dashed(argument: str) -> str:
    """vLLM takes --max_model_len for --max-model-len; a value after "=" stays as it is."""
    if not argument.startswith("--"):
        return argument
    flag, equals, value = argument.partition("=")
    return flag.replace("_", "-") + equals + value
