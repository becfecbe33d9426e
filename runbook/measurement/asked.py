"""What a client was asked for, as far as its own output tells: the first line of a log, or the saved JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_NAMESPACE: Final = re.compile(r"Namespace\(subparser='bench', bench_type='serve'")


@dataclass(frozen=True)
class Asked:
    """What a client was asked for; None where that is not known.

    Args:
        prompts: requests.
        input_len: tokens of each prompt; random ones may have some more.
        output_len: tokens of each answer, as the end-of-sequence token is ignored.
        max_concurrency: requests at the same time.
        max_model_len: tokens of prompt and answer together that the server takes.
    """

    prompts: int | None = None
    input_len: int | None = None
    output_len: int | None = None
    max_concurrency: int | None = None
    max_model_len: int | None = None

    def or_else(self, other: Asked) -> Asked:
        """Take what is not known here from another."""
        pairs = zip(self._all(), other._all(), strict=True)
        return Asked(*(theirs if mine is None else mine for mine, theirs in pairs))

    def _all(self) -> tuple[int | None, ...]:
        return (self.prompts, self.input_len, self.output_len, self.max_concurrency, self.max_model_len)


def asked_in_log(lines: Iterable[str]) -> Asked:
    """Read the options that the client prints when it starts."""
    found = [line for line in lines if begins_run(line)]
    return _of_namespace(found[-1]) if found else Asked()


def begins_run(line: str) -> bool:
    """Tell whether a client prints its options in a line, as it does when it starts."""
    return bool(_NAMESPACE.search(line))


def asked_in_fingerprint(fingerprint: Mapping[str, Any]) -> Asked:
    """Read what a kept document says of the options."""
    names = ("num_prompts", "input_len", "output_len", "max_concurrency")
    prompts, input_len, output_len, at_once = (_whole(fingerprint.get(name)) for name in names)
    return Asked(prompts, input_len, output_len, at_once)


def asked_in_saved(saved: Mapping[str, Any]) -> Asked:
    """Read what the saved JSON tells of the options."""
    concurrency = saved.get("max_concurrency")
    return Asked(
        prompts=_whole(saved.get("num_prompts")),
        max_concurrency=_whole(concurrency),
    )


def _of_namespace(line: str) -> Asked:
    options = dict(re.findall(r"(\w+)='?([^,']*)'?[,)]", line))
    dataset = options.get("dataset_name", "")
    exact = options.get("ignore_eos") == "True" and _varies_not(options, dataset)
    output = _number(options.get("output_len")) or _number(options.get(f"{dataset}_output_len"))
    return Asked(
        prompts=_number(options.get("num_prompts")),
        input_len=_number(options.get("input_len")) or _number(options.get(f"{dataset}_input_len")),
        output_len=output if exact else None,
        max_concurrency=_number(options.get("max_concurrency")),
    )


def _varies_not(options: Mapping[str, str], dataset: str) -> bool:
    if dataset == "sonnet":
        return True
    return dataset == "random" and options.get("random_range_ratio") in {"0.0", "0"}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
