"""The prompts: lines of a poem, or random tokens."""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Sequence
from pathlib import Path

from rehearsal.serving.bench.streaming import Prompt
from rehearsal.serving.chat_template import ChatTemplate
from rehearsal.serving.container import Container
from rehearsal.serving.release import Release
from rehearsal.serving.tokenizer import Tokenizer

IMAGE_SONNETS = "/workspace/vllm/benchmarks/sonnet.txt"
SHIPPED_SONNETS = Path(__file__).with_name("lines.txt")
REQUEST = "Pick as many lines as you can from these poem lines:\n"
MOST_TRIES_A_PROMPT = 1000
ALIGNMENT_ROUNDS = 10


class DatasetError(Exception):
    """The prompts cannot be made.

    Args:
        called: name of the exception in the real traceback.
    """

    def __init__(self, called: str, message: str) -> None:
        super().__init__(message)
        self.called = called


def poem_file(path: str | None, container: Container) -> Path:
    """Find the lines; the file that lies in vLLM's image is played by one of our own.

    Raises:
        DatasetError: no path, or no such file.
    """
    if not path:
        raise DatasetError("ValueError", "dataset_path must be provided.")
    local = container.local_path(path)
    if local.is_file():
        return local
    if path == IMAGE_SONNETS:
        return SHIPPED_SONNETS
    raise DatasetError("FileNotFoundError", f"[Errno 2] No such file or directory: {path!r}")


def sonnet(
    options: argparse.Namespace, lines: Sequence[str], tokenizer: Tokenizer, template: ChatTemplate | None
) -> list[Prompt]:
    """Draw lines until a prompt is nearly, and never more than, --sonnet-input-len tokens.

    Raises:
        DatasetError: the model has no chat template, or the length is too short.
    """
    if template is None:
        raise DatasetError("AssertionError", "Tokenizer/model must have chat template for sonnet dataset.")
    average = sum(len(tokenizer.encode(line)) for line in lines) / len(lines)
    wanted = options.sonnet_input_len
    overhead = len(tokenizer.encode(_asked(template, "")))
    if wanted <= overhead:
        raise DatasetError(
            "ValueError", f"'input_len' must be higher than the base prompt length ({overhead})."
        )
    shared = max(round((options.sonnet_prefix_len - overhead) / average), 0)
    drawn = round((wanted - overhead) / average) - shared
    chance = random.Random(options.seed)  # noqa: S311 - reproducible prompts, no secret
    prompts: list[Prompt] = []
    for _ in range(options.num_prompts * MOST_TRIES_A_PROMPT):
        text = _asked(template, "".join([*lines[:shared], *chance.choices(lines, k=max(drawn, 0))]))
        tokens = len(tokenizer.encode(text))
        if tokens <= wanted:
            prompts.append(_numbered(options, len(prompts), text, tokens, options.sonnet_output_len))
        if len(prompts) == options.num_prompts:
            break
    return prompts


def random_tokens(
    options: argparse.Namespace, release: Release, tokenizer: Tokenizer
) -> tuple[list[Prompt], int]:
    """Make prompts of consecutive token ids, decoded and encoded again until the length holds.

    Returns:
        the prompts, and how many tokens more than wanted they have together.

    Raises:
        DatasetError: the lengths make no sense.
    """
    input_range, output_range = random_ranges(options, release)
    ids = tokenizer.ids
    chance = random.Random(options.seed)  # noqa: S311 - reproducible prompts, no secret
    prefix = [chance.choice(ids) for _ in range(options.random_prefix_len)]
    prompts: list[Prompt] = []
    surplus = 0
    for number in range(options.num_prompts):
        length, start = chance.randint(*input_range), chance.randrange(len(ids))
        sequence = prefix + [ids[(start + number + index) % len(ids)] for index in range(length)]
        text, tokens = _aligned(tokenizer, sequence, len(prefix) + length, chance)
        surplus += tokens - len(prefix) - length
        prompts.append(_numbered(options, number, text, tokens, chance.randint(*output_range)))
    return prompts, surplus


def random_ranges(options: argparse.Namespace, release: Release) -> tuple[tuple[int, int], tuple[int, int]]:
    """The ranges of input and of output lengths that --random-range-ratio allows.

    Raises:
        DatasetError: the ratio is not in [0, 1).
    """
    ratio = float(options.random_range_ratio)
    if not 0 <= ratio < 1:
        raise DatasetError("ValueError", "range_ratio must be in [0, 1).")
    input_length, output_length = options.random_input_len, options.random_output_len
    if release.is_current:
        input_length = options.input_len or input_length
        output_length = options.output_len or output_length
    low, high = _around(input_length, ratio)
    if options.random_prefix_len + low < 1:
        raise DatasetError("ValueError", f"--random-input-len is too small: {input_length}.")
    shortest, longest = _around(output_length, ratio)
    return (low, high), (max(shortest, 1), max(longest, 1))


def _around(length: int, ratio: float) -> tuple[int, int]:
    return math.floor(length * (1 - ratio)), math.ceil(length * (1 + ratio))


def _aligned(
    tokenizer: Tokenizer, sequence: list[int], wanted: int, chance: random.Random
) -> tuple[str, int]:
    ids = tokenizer.ids
    for _ in range(ALIGNMENT_ROUNDS):
        text = tokenizer.decode(sequence)
        sequence = tokenizer.encode(text)
        if len(sequence) == wanted:
            break
        missing = wanted - len(sequence)
        sequence = sequence[:wanted] + [chance.choice(ids) for _ in range(missing)]
    text = tokenizer.decode(sequence)
    return text, len(tokenizer.encode(text))


def _asked(template: ChatTemplate, lines: str) -> str:
    return template.render([{"role": "user", "content": REQUEST + lines}])


def _numbered(options: argparse.Namespace, number: int, text: str, tokens: int, output_tokens: int) -> Prompt:
    return Prompt(text, tokens, output_tokens, f"{options.request_id_prefix}{number}")
