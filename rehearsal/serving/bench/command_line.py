"""The command line of `vllm bench serve`, as the release that is played has it."""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rehearsal.serving.release import Release

UNPLAYED_SWITCHES = ("profile", "use_beam_search", "no_stream", "plot_timeline", "plot_dataset_stats")
UNPLAYED_VALUES = ("lora_modules", "ramp_up_strategy", "logprobs", "self_timed", "skip_tokenizer_init")
PLAYED_DATASETS = ("sonnet", "random")
PLAYED_BACKENDS = ("openai", "vllm", "openai-chat")


class UnplayedError(Exception):
    """An argument that the real client knows and the rehearsal does not play."""


@dataclass(frozen=True)
class Flag:
    """One flag.

    Args:
        name: with underscores, as in the Namespace.
        default: its value when it is not given.
        kind: how its text is read; bool is a switch.
        among: the releases that have it.
        nargs: as argparse has it.
    """

    name: str
    default: Any = None
    kind: Callable[[str], Any] = str
    among: Literal["all", "older", "current"] = "all"
    nargs: str | None = None

    def belongs_to(self, release: Release) -> bool:
        """Tell whether the release has this flag."""
        return self.among == "all" or (self.among == "current") == release.is_current


_BUCKETS = {(256, 256, 1): 0.5, (720, 1280, 1): 0.5, (720, 1280, 16): 0.0}
_DATASET_CHOICES = {
    False: "sharegpt burstgpt sonnet random random-mm random-rerank hf custom prefix_repetition spec_bench",
    True: "sharegpt burstgpt random random-mm random-rerank hf custom custom_audio custom_image"
    " prefix_repetition spec_bench speed_bench timed_trace",
}

_FLAGS = (
    Flag("trust_remote_code", False, bool, "current"),
    Flag("seed", 0, int),
    Flag("num_prompts", 1000, int),
    Flag("dataset_name", "random"),
    Flag("no_stream", False, bool),
    Flag("dataset_path"),
    Flag("no_oversample", False, bool),
    Flag("skip_chat_template", False, bool),
    Flag("enable_multimodal_chat", False, bool, "current"),
    Flag("disable_shuffle", False, bool),
    Flag("custom_output_len", 256, int),
    Flag("spec_bench_output_len", 256, int),
    Flag("spec_bench_category"),
    Flag("sonnet_input_len", 550, int, "older"),
    Flag("sonnet_output_len", 150, int, "older"),
    Flag("sonnet_prefix_len", 200, int, "older"),
    Flag("sharegpt_output_len", None, int),
    Flag("blazedit_min_distance", 0.0, float),
    Flag("blazedit_max_distance", 1.0, float),
    Flag("random_input_len", 1024, int),
    Flag("random_output_len", 128, int),
    Flag("random_range_ratio", 0.0, float, "older"),
    Flag("random_range_ratio", "0.0", str, "current"),
    Flag("random_prefix_len", 0, int),
    Flag("random_batch_size", 1, int),
    Flag("no_reranker", False, bool),
    Flag("random_mm_base_items_per_request", 1, int),
    Flag("random_mm_num_mm_items_range_ratio", 0.0, float),
    Flag("random_mm_limit_mm_per_prompt", {"image": 255, "video": 1}, json.loads),
    Flag("random_mm_bucket_config", _BUCKETS, json.loads),
    Flag("hf_subset"),
    Flag("hf_split"),
    Flag("hf_name"),
    Flag("hf_output_len", None, int),
    Flag("prefix_repetition_prefix_len", 256, int),
    Flag("prefix_repetition_suffix_len", 256, int),
    Flag("prefix_repetition_num_prefixes", 10, int),
    Flag("prefix_repetition_output_len", 128, int),
    Flag("label"),
    Flag("backend", "openai"),
    Flag("base_url"),
    Flag("host", "127.0.0.1"),
    Flag("port", 8000, int),
    Flag("endpoint", "/v1/completions"),
    Flag("header", nargs="*"),
    Flag("max_concurrency", None, int),
    Flag("model"),
    Flag("input_len", None, int, "current"),
    Flag("output_len", None, int, "current"),
    Flag("tokenizer"),
    Flag("tokenizer_mode", "auto"),
    Flag("use_beam_search", False, bool),
    Flag("logprobs", None, int),
    Flag("request_rate", float("inf"), float),
    Flag("burstiness", 1.0, float),
    Flag("trust_remote_code", False, bool, "older"),
    Flag("disable_tqdm", False, bool),
    Flag("num_warmups", 0, int),
    Flag("profile", False, bool),
    Flag("save_result", False, bool),
    Flag("save_detailed", False, bool),
    Flag("append_result", False, bool),
    Flag("metadata", nargs="*"),
    Flag("result_dir"),
    Flag("result_filename"),
    Flag("ignore_eos", False, bool),
    Flag("percentile_metrics"),
    Flag("metric_percentiles", "99"),
    Flag("goodput", nargs="+"),
    Flag("request_id_prefix"),
    Flag("top_p", None, float),
    Flag("top_k", None, int),
    Flag("min_p", None, float),
    Flag("temperature", None, float),
    Flag("frequency_penalty", None, float),
    Flag("presence_penalty", None, float),
    Flag("repetition_penalty", None, float),
    Flag("common_prefix_len", None, int, "older"),
    Flag("served_model_name"),
    Flag("lora_modules", nargs="+"),
    Flag("ramp_up_strategy"),
    Flag("ramp_up_start_rps", None, int),
    Flag("ramp_up_end_rps", None, int),
    Flag("ready_check_timeout_sec", 600, int, "older"),
    Flag("ready_check_timeout_sec", 0, int, "current"),
    Flag("extra_body", None, json.loads),
    Flag("skip_tokenizer_init", False, bool, "current"),
    Flag("insecure", False, bool, "current"),
    Flag("plot_timeline", False, bool, "current"),
    Flag("timeline_itl_thresholds", "25,50", str, "current"),
    Flag("plot_dataset_stats", False, bool, "current"),
)


def parse(arguments: Sequence[str], release: Release) -> argparse.Namespace:
    """Read the arguments; exits with 2 and argparse's message when one is unknown or wrong.

    Raises:
        UnplayedError: one that the real client would obey and the rehearsal cannot.
    """
    words = list(arguments)
    while words and words[0] in {"bench", "serve"}:
        words.pop(0)
    head = argparse.Namespace(subparser="bench", bench_type="serve", dispatch_function=_CommandFunction())
    options = _parser(release).parse_args([_dashed(word) for word in words], head)
    _refuse_unplayed(options)
    return options


def _parser(release: Release) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vllm bench <bench_type> [options] serve",
        usage="vllm bench serve [options]",
        allow_abbrev=False,
    )
    for flag in _FLAGS:
        if flag.belongs_to(release):
            _add(parser, flag, release)
    return parser


def _add(parser: argparse.ArgumentParser, flag: Flag, release: Release) -> None:
    word = f"--{flag.name.replace('_', '-')}"
    default = f"bench-{uuid.uuid4().hex[:8]}-" if flag.name == "request_id_prefix" else flag.default
    if flag.kind is bool:
        parser.add_argument(word, action="store_true")
        return
    choices = _DATASET_CHOICES[release.is_current].split() if flag.name == "dataset_name" else None
    parser.add_argument(word, type=flag.kind, default=default, nargs=flag.nargs, choices=choices)


def _refuse_unplayed(options: argparse.Namespace) -> None:
    given = vars(options)
    for name in (*UNPLAYED_SWITCHES, *UNPLAYED_VALUES):
        if given.get(name):
            raise UnplayedError(f"the rehearsal does not play --{name.replace('_', '-')}")
    if options.dataset_name not in PLAYED_DATASETS:
        raise UnplayedError(f"the rehearsal plays the datasets sonnet and random, not {options.dataset_name}")
    if options.backend not in PLAYED_BACKENDS:
        raise UnplayedError(f"the rehearsal plays the backends {', '.join(PLAYED_BACKENDS)} only")


def _dashed(word: str) -> str:
    flag, equals, value = word.partition("=")
    return flag.replace("_", "-") + equals + value if word.startswith("--") else word


class _CommandFunction:
    """Stands where the real Namespace shows the function that runs the command."""

    def __repr__(self) -> str:
        return f"<function BenchmarkServingSubcommand.cmd at {id(self):#x}>"
