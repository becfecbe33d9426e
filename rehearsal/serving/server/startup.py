"""From the command line to a server that answers, with vLLM's start-up log on the way."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from rehearsal.serving import chat_template, container, tokenizer
from rehearsal.serving.container import Container
from rehearsal.serving.release import Release
from rehearsal.serving.server.application import ROUTES
from rehearsal.serving.server.command_line import (
    DEFAULT_MAX_NUM_BATCHED_TOKENS,
    DEFAULT_MAX_NUM_SEQS,
    non_default,
)
from rehearsal.serving.server.engine import Engine, Limits, Pace
from rehearsal.serving.server.log import Log
from rehearsal.serving.server.metrics import Metrics
from rehearsal.serving.server.model_folder import Model, ModelError, check_shard, configuration, shards
from rehearsal.serving.server.serving import Serving

# Measured for gpt-oss-120b on one TPU7x host, no XLA cache (tpu-inference issue 1707).
STORAGE_TO_CPU_SECONDS = 6.47
STORAGE_TO_TPU_SECONDS = 25.35
XLA_COMPILE_SECONDS = 339.76

STAND_IN = (
    "This is the rehearsal's stand-in of vLLM: no model runs here, and no figure below is one of a TPU."
)


class EngineStartError(Exception):
    """The engine could not start; its own error is in the log."""


@dataclass(frozen=True)
class Startup:
    """What the start-up steps share."""

    options: argparse.Namespace
    container: Container
    release: Release
    log: Log

    async def serving(self) -> Serving:
        """Load everything that a server needs.

        Raises:
            ModelError: the front end refuses the model.
            EngineStartError: an engine refuses its weights.
        """
        self._banner()
        model = configuration(self.options, self.container.local_path(self.options.model))
        self._resolved(model)
        words = self._tokenizer(model)
        await self._start_engines(model)
        served = Serving(
            names=self.options.served_model_name or [self.options.model],
            root=self.options.model,
            max_model_len=model.max_model_len,
            tokenizer=words,
            template=chat_template.load(model.folder),
            engines=self._engines(model),
            release=self.release,
        )
        self._announce(served)
        return served

    def _banner(self) -> None:
        self.log.caution("rehearsal", STAND_IN)
        self.log.say("api_server.py:1351", f"vLLM API server version {self.release.version}")
        self.log.say("utils.py:253", f"non-default args: {non_default(self.options)}")

    def _resolved(self, model: Model) -> None:
        self.log.say("model.py:514", f"Resolved architecture: {model.architecture}")
        self.log.say("model.py:1661", f"Using max model len {model.max_model_len}")
        if self.options.async_scheduling:
            self.log.say("vllm.py:624", "Asynchronous scheduling is enabled.")

    def _tokenizer(self, model: Model) -> tokenizer.Tokenizer:
        name = self.options.tokenizer or model.name
        try:
            return tokenizer.load(self.container.local_path(name), name)
        except tokenizer.TokenizerMissingError as error:
            raise ModelError("OSError", str(error)) from error

    async def _start_engines(self, model: Model) -> None:
        for rank in range(self.options.data_parallel_size):
            self.log.say("core.py:93", self._engine_line(model), f"EngineCore_DP{rank}")
        process = "EngineCore_DP0"
        try:
            await self._load_weights(model, process)
        except ModelError as error:
            self.log.fail("core.py:866", "EngineCore failed to start.", process)
            self.log.traceback(error, error.called, process)
            raise EngineStartError(
                "Engine core initialization failed. See root cause above. Failed core proc(s): {}"
            ) from error
        await self._compile(process)

    def _engine_line(self, model: Model) -> str:
        options = self.options
        return (
            f"Initializing a V1 LLM engine (v{self.release.version}) with config: model={model.name!r},"
            f" speculative_config={options.speculative_config},"
            f" tokenizer={options.tokenizer or model.name!r},"
            f" max_seq_len={model.max_model_len}, load_format={options.load_format},"
            f" tensor_parallel_size={options.tensor_parallel_size},"
            f" pipeline_parallel_size={options.pipeline_parallel_size},"
            f" data_parallel_size={options.data_parallel_size}, quantization={options.quantization},"
            f" kv_cache_dtype={options.kv_cache_dtype}, seed={options.seed},"
            f" served_model_name={(options.served_model_name or [model.name])[0]},"
            f" enable_prefix_caching={options.enable_prefix_caching is not False}"
        )

    async def _load_weights(self, model: Model, process: str) -> None:
        self.log.say("tpu_runner.py:271", f"Starting to load model {model.name}...", process)
        files = shards(model)
        held = 0
        for number, shard in enumerate(files, start=1):
            held += check_shard(model, shard)
            await self.container.pass_time(STORAGE_TO_CPU_SECONDS / len(files))
            self.log.plain(
                f"Loading safetensors checkpoint shards: {100 * number // len(files):3d}% Completed"
                f" | {number}/{len(files)}",
                process,
            )
        self._streamed(held, process)
        await self.container.pass_time(STORAGE_TO_TPU_SECONDS - STORAGE_TO_CPU_SECONDS)
        self.log.say(
            "vllm_model_wrapper.py:168",
            f"Total time to load model weights from storage to TPU: {STORAGE_TO_TPU_SECONDS} seconds.",
            process,
        )

    def _streamed(self, held: int, process: str) -> None:
        if self.options.load_format == "runai_streamer":
            gigabytes = held / 2**30
            self.log.plain(
                f"[RunAI Streamer] Overall time to stream {gigabytes:.1f} GiB of all files to cpu:"
                f" {STORAGE_TO_CPU_SECONDS:.2f}s, {gigabytes / STORAGE_TO_CPU_SECONDS:.1f} GiB/s",
                process,
            )
        else:
            self.log.say(
                "default_loader.py:308", f"Loading weights took {STORAGE_TO_CPU_SECONDS} seconds", process
            )

    async def _compile(self, process: str) -> None:
        place = "compilation_manager.py:88"
        sizes = [2**power for power in range(4, 15) if 2**power <= self._batched_tokens]
        for size in sizes or [self._batched_tokens]:
            self.log.say(place, f"Precompile backbone --> num_tokens={size}", process)
            await self.container.pass_time(XLA_COMPILE_SECONDS / max(1, len(sizes)))
        self.log.say(place, f"Compilation finished in {XLA_COMPILE_SECONDS} [secs].", process)
        total = STORAGE_TO_TPU_SECONDS + XLA_COMPILE_SECONDS
        self.log.say(
            "core.py:259",
            f"init engine (profile, create kv cache, warmup model) took {total:.2f} seconds",
            process,
        )

    @property
    def _batched_tokens(self) -> int:
        return self.options.max_num_batched_tokens or DEFAULT_MAX_NUM_BATCHED_TOKENS

    def _engines(self, model: Model) -> list[Engine]:
        limits = Limits(
            max_num_seqs=self.options.max_num_seqs or DEFAULT_MAX_NUM_SEQS,
            max_num_batched_tokens=self._batched_tokens,
            max_model_len=model.max_model_len,
        )
        return [
            Engine(limits, _pace, Metrics(model.max_model_len))
            for _ in range(self.options.data_parallel_size)
        ]

    def _announce(self, served: Serving) -> None:
        self.log.say("api_server.py:1099", "Supported tasks: ['generate']")
        host = self.options.host or "0.0.0.0"  # noqa: S104 - only printed here
        self.log.say("api_server.py:1425", f"Starting vLLM API server 0 on http://{host}:{self.options.port}")
        self.log.say("launcher.py:38", "Available routes are:")
        for method, path in ROUTES:
            self.log.say("launcher.py:46", f"Route: {path}, Methods: {method}")
        if served.template is None:
            self.log.caution(
                "serving_chat.py:139", "The model has no chat template: /v1/chat/completions refuses."
            )


def _pace() -> Pace:
    return Pace.of(container.current())
