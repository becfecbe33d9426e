"""One run of the benchmark, from its prompts to its figures."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from rehearsal.serving import chat_template, container, hub_files, release, tokenizer
from rehearsal.serving.bench import block, datasets, load, server_facts
from rehearsal.serving.bench.measurement import measure
from rehearsal.serving.bench.neighbours import ClusterResolver
from rehearsal.serving.bench.result import result, save
from rehearsal.serving.bench.streaming import Outcome, Prompt, Target
from rehearsal.serving.console import complain, say

REQUEST_SECONDS = 6 * 60 * 60
GOALS = ("ttft", "tpot", "e2el")
SAMPLING = (
    "top_p", "top_k", "min_p", "temperature", "frequency_penalty", "presence_penalty", "repetition_penalty",
)  # fmt: skip
SURPLUS = (
    "Across all generated prompts, there were {} {} tokens than expected after decoding and re-encoding."
    " This is expected due to the imperfect nature of the sampling procedure."
)
TEMPERATURE = (
    "WARNING: vllm bench serve no longer sets temperature==0 (greedy) in requests by default. The default"
    " will be determined on the server side and can be model/API specific. For the old behavior, include"
    " --temperature=0."
)


class Benchmark:
    """One run.

    Args:
        options: the command line.
        here: the container that it runs in.
        played: the release.
    """

    def __init__(
        self, options: argparse.Namespace, here: container.Container, played: release.Release
    ) -> None:
        self._options = options
        self._container = here
        self._release = played
        self._goals = goals(options.goodput)
        self._percentiles = [float(word) for word in options.metric_percentiles.split(",")]
        self._base_url = options.base_url or f"http://{options.host}:{options.port}"
        self._model = ""

    async def run(self) -> None:
        """Make the prompts, send them, show and save the figures."""
        async with self._session() as session:
            served = await self._name_model(session)
            words = self._tokenizer()
            prompts = self._prompts(words)
            if self._release.is_current:
                prompts = await server_facts.align(session, self._base_url, self._model, prompts)
                if self._options.temperature is None:
                    say(TEMPERATURE)
            outcomes, duration = await self._load(session, self._target(served), prompts)
        measured = measure(
            outcomes, duration, lambda text: len(words.encode(text)), self._percentiles, self._goals
        )
        _tell_failures(outcomes)
        say(block.STAND_IN)
        for line in block.lines(measured, self._options, self._release):
            say(line)
        if self._options.save_result or self._options.append_result:
            saved = result(measured, outcomes, self._options, self._release, self._model)
            save(saved, self._options, self._container, self._model)

    def _session(self) -> aiohttp.ClientSession:
        concurrency = self._options.max_concurrency or 0
        connector = aiohttp.TCPConnector(
            limit=concurrency,
            limit_per_host=concurrency,
            use_dns_cache=False,
            keepalive_timeout=60,
            resolver=ClusterResolver() if self._container.inside else None,
        )
        return aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        )

    async def _name_model(self, session: aiohttp.ClientSession) -> str:
        """Find `model_id`, and the name that requests carry."""
        if self._options.model is not None:
            self._model = self._options.model
            return self._options.served_model_name or self._model
        say("Model not specified, fetching first model from server...")
        name, self._model = await server_facts.first_model(session, self._base_url)
        say(f"First model name: {name}, first model id: {self._model}")
        return name

    def _tokenizer(self) -> tokenizer.Tokenizer:
        name = self._options.tokenizer or self._model
        return tokenizer.load(self._tokenizer_folder(), name)

    def _tokenizer_folder(self) -> Path:
        name = self._options.tokenizer or self._model
        local = self._container.local_path(name)
        return hub_files.tokenizer_folder(name) if hub_files.is_repository(str(local)) else local

    def _prompts(self, words: tokenizer.Tokenizer) -> list[Prompt]:
        options = self._options
        if options.dataset_name == "sonnet":
            file = datasets.poem_file(options.dataset_path, self._container)
            poem = file.read_text(encoding="utf-8").splitlines(keepends=True)
            return datasets.sonnet(options, poem, words, chat_template.load(self._tokenizer_folder()))
        inputs, outputs = datasets.random_ranges(options, self._release)
        self._log("INFO", f"Sampling input_len from {[*inputs]} and output_len from {[*outputs]}")
        prompts, surplus = datasets.random_tokens(options, self._release, words)
        if surplus:
            self._log("WARNING", SURPLUS.format(abs(surplus), "more" if surplus > 0 else "fewer"))
        return prompts

    def _target(self, served: str) -> Target:
        options = self._options
        extra: dict[str, Any] = {k: getattr(options, k) for k in SAMPLING if getattr(options, k) is not None}
        if not self._release.is_current:
            extra.setdefault("temperature", 0.0)
        if options.ignore_eos:
            extra["ignore_eos"] = True
        return Target(
            url=f"{self._base_url}{options.endpoint}",
            model=served,
            extra_body=extra | (options.extra_body or {}),
            headers=dict(header.split("=", 1) for header in options.header or ()),
            chat=options.backend == "openai-chat",
        )

    async def _load(
        self, session: aiohttp.ClientSession, target: Target, prompts: list[Prompt]
    ) -> tuple[list[Outcome], float]:
        options = self._options
        say("Starting initial single prompt test run...")
        if options.ready_check_timeout_sec > 0:
            await load.wait_until_ready(
                session, target, prompts[0], options.ready_check_timeout_sec, self._container.time_scale
            )
        else:
            say("Skipping endpoint ready check.")
        if options.num_warmups > 0:
            await load.warm_up(session, target, prompts[0], options)
        distribution = "Poisson process" if options.burstiness == 1.0 else "Gamma distribution"
        say("Starting main benchmark run...")
        say(f"Traffic request rate: {options.request_rate}")
        say(f"Burstiness factor: {options.burstiness} ({distribution})")
        say(f"Maximum request concurrency: {options.max_concurrency}")
        return await load.send_all(session, target, prompts, options)

    def _log(self, level: str, message: str) -> None:
        who = f"(MainProcess pid={self._container.process_id}) " if self._release.is_current else ""
        say(f"{who}{level} {datetime.now():%m-%d %H:%M:%S} [datasets.py:612] {message}")


def goals(pairs: Sequence[str] | None) -> dict[str, float]:
    """Read --goodput NAME:MILLISECONDS.

    Raises:
        ValueError: in the words of `vllm bench serve`.
    """
    wanted: dict[str, float] = {}
    for pair in pairs or ():
        name, _, limit = pair.partition(":")
        if name not in GOALS:
            raise ValueError(
                f"Invalid metric name found, {name}: {limit}. The service level objective name should be one"
                f" of {[*GOALS]}. "
            )
        wanted[name] = float(limit)
        if not 0 <= wanted[name] < math.inf:
            raise ValueError(
                f"Invalid value found, {name}: {limit}. The service level objective value should be"
                " non-negative."
            )
    return wanted


def _tell_failures(outcomes: Sequence[Outcome]) -> None:
    failed = [outcome for outcome in outcomes if not outcome.success]
    if len(failed) == len(outcomes):
        complain(
            "UserWarning: All requests failed. This is likely due to a misconfiguration on the benchmark"
            " arguments."
        )
    if failed:
        say("Failed requests during benchmark run detected (capping to 10):")
    for number, outcome in enumerate(failed[:10]):
        say(f"Error {number}: {outcome.error}")
    if len(failed) < len(outcomes):
        say("tip: install termplotlib and gnuplot to plot the metrics")
