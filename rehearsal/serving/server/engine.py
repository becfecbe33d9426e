"""The engine: requests wait in order, at most so many run at once, each step gives each of them tokens."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.serving.container import Container
from rehearsal.serving.prose import Continuation
from rehearsal.serving.server.metrics import Metrics

UNPACED_BURST = 32


@dataclass(frozen=True)
class Pace:
    """How fast the engine pretends to be.

    Args:
        step_seconds: time of one decode step; 0 = as fast as this machine goes, several tokens a step.
        prefill_rate: prompt tokens a second; 0 = at once.
    """

    step_seconds: float = 0.0
    prefill_rate: float = 0.0

    @classmethod
    def of(cls, container: Container) -> Pace:
        """Take the pace that a container is told."""
        return cls(container.step_ms / 1000, container.prefill_tokens_per_s)

    def step_time(self, prefilled: int) -> float:
        """Seconds that a step takes.

        Args:
            prefilled: prompt tokens that it works off.
        """
        return self.step_seconds + (prefilled / self.prefill_rate if self.prefill_rate else 0.0)

    @property
    def burst(self) -> int:
        """Tokens that a step gives to a running request."""
        return 1 if self.step_seconds else UNPACED_BURST


@dataclass(frozen=True)
class Limits:
    """What bounds an engine.

    Args:
        max_num_seqs: requests that run at once.
        max_num_batched_tokens: tokens of prompts and answers that one step works on.
        max_model_len: tokens of a prompt and its answer together.
    """

    max_num_seqs: int
    max_num_batched_tokens: int
    max_model_len: int


@dataclass(eq=False)
class Generation:
    """One answer in the making.

    Args:
        prompt_tokens: length of the prompt.
        length: tokens that it will have in the end.
        finish_reason: why it will end there: "length" or "stop".
        continuation: where its tokens come from.
        stopped_by: the stop string that ends it, if one does.
        cut_texts: the text of each token, where a stop string takes away some of it.
    """

    prompt_tokens: int
    length: int
    finish_reason: str
    continuation: Continuation
    max_tokens: int
    stopped_by: str | None = None
    cut_texts: tuple[str, ...] | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    prefilled: int = 0
    produced: int = 0
    aborted: bool = False
    arrived: float = field(default_factory=time.perf_counter)
    scheduled: float = 0.0
    first_token: float = 0.0
    last_token: float = 0.0

    @property
    def finished(self) -> bool:
        """No token will come any more."""
        return self.aborted or self.produced >= self.length


class Engine:
    """One engine core.

    Args:
        pace: asked whenever work comes after a rest, so that it can be changed while the server runs.
        metrics: where it counts what it does.
    """

    def __init__(self, limits: Limits, pace: Callable[[], Pace], metrics: Metrics) -> None:
        self._limits = limits
        self._paces = pace
        self._pace = pace()
        self.metrics = metrics
        self._waiting: deque[Generation] = deque()
        self._running: list[Generation] = []
        self._work = asyncio.Event()

    @property
    def running(self) -> int:
        """Requests that get tokens now."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    @property
    def cache_usage(self) -> float:
        """Tokens held, as a share of the room for max_num_seqs full contexts."""
        held = sum(one.prefilled + one.produced for one in self._running)
        return held / (self._limits.max_num_seqs * self._limits.max_model_len)

    def submit(self, generation: Generation) -> None:
        """Put a request at the end of the queue."""
        self._waiting.append(generation)
        self._show_load()
        self._work.set()

    def abort(self, generation: Generation) -> None:
        """Forget a request whose client has gone."""
        if generation.finished:
            return
        generation.aborted = True
        generation.wake.set()
        if generation in self._running:
            self._running.remove(generation)
        else:
            self._waiting.remove(generation)
        self.metrics.add("request_success", 1, "abort")
        self._show_load()

    def abort_all(self) -> None:
        """Forget every request: the server stops."""
        for generation in [*self._running, *self._waiting]:
            self.abort(generation)

    async def run(self) -> None:
        """Step for ever."""
        while True:
            if not self._running and not self._waiting:
                self._work.clear()
                await self._work.wait()
                self._pace = self._paces()
            await self._step()

    async def _step(self) -> None:
        decoding = [one for one in self._running if one.prefilled == one.prompt_tokens]
        prefilled = self._prefill(self._limits.max_num_batched_tokens - len(decoding))
        await asyncio.sleep(self._pace.step_time(prefilled))
        now = time.perf_counter()
        generated = 0
        for one in [*self._running]:
            if one.prefilled == one.prompt_tokens:
                generated += self._decode(one, now)
        self.metrics.observe("iteration_tokens_total", prefilled + generated)
        self._show_load()

    def _prefill(self, budget: int) -> int:
        prefilled = 0
        while self._waiting and len(self._running) < self._limits.max_num_seqs and prefilled < budget:
            one = self._waiting.popleft()
            one.scheduled = time.perf_counter()
            self._running.append(one)
            prefilled += self._work_off(one, budget - prefilled)
        for one in self._running:
            prefilled += self._work_off(one, budget - prefilled)
        return prefilled

    def _work_off(self, one: Generation, budget: int) -> int:
        portion = max(0, min(one.prompt_tokens - one.prefilled, budget))
        one.prefilled += portion
        self.metrics.add("prompt_tokens", portion)
        self.metrics.add("prompt_tokens_by_source", portion, "local_compute")
        return portion

    def _decode(self, one: Generation, now: float) -> int:
        tokens = min(self._pace.burst if one.produced else 1, one.length - one.produced)
        if not one.produced:
            one.first_token = now
            self.metrics.observe("time_to_first_token_seconds", now - one.arrived)
        else:
            self.metrics.observe("inter_token_latency_seconds", (now - one.last_token) / tokens, tokens)
        one.last_token = now
        one.produced += tokens
        self.metrics.add("generation_tokens", tokens)
        one.wake.set()
        if one.finished:
            self._running.remove(one)
            self._count_finished(one)
        return tokens

    def _count_finished(self, one: Generation) -> None:
        observe = self.metrics.observe
        self.metrics.add("request_success", 1, one.finish_reason)
        observe("e2e_request_latency_seconds", one.last_token - one.arrived)
        observe("request_queue_time_seconds", one.scheduled - one.arrived)
        observe("request_prefill_time_seconds", one.first_token - one.scheduled)
        observe("request_decode_time_seconds", one.last_token - one.first_token)
        observe("request_inference_time_seconds", one.last_token - one.scheduled)
        observe("request_prompt_tokens", one.prompt_tokens)
        observe("request_prefill_kv_computed_tokens", one.prompt_tokens)
        observe("request_generation_tokens", one.produced)
        observe("request_max_num_generation_tokens", one.max_tokens)
        observe("request_params_max_tokens", one.max_tokens)
        observe("request_params_n", 1)
        observe("request_num_preemptions", 0)
        if one.produced > 1:
            per_token = (one.last_token - one.first_token) / (one.produced - 1)
            observe("request_time_per_output_token_seconds", per_token)

    def _show_load(self) -> None:
        self.metrics.set("num_requests_running", len(self._running))
        self.metrics.set("num_requests_waiting", len(self._waiting))
        self.metrics.set("num_requests_waiting_by_reason", len(self._waiting), "capacity")


def least_loaded(engines: list[Engine]) -> Engine:
    """Choose an engine as vLLM's data parallel front end does: a request that waits weighs four."""
    return min(engines, key=lambda engine: 4 * engine.waiting + engine.running)
