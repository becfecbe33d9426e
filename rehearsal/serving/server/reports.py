"""The line that vLLM writes every ten seconds while it works."""

from __future__ import annotations

import asyncio
import time

from rehearsal.serving.server.engine import Engine
from rehearsal.serving.server.log import Log

INTERVAL_SECONDS = 10.0


async def report_throughput(engines: list[Engine], log: Log) -> None:
    """Log each engine's throughput every ten seconds; an idle engine is mentioned once, then not at all."""
    lines = [_Line(engine, rank) for rank, engine in enumerate(engines)]
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        for line in lines:
            text = line.text()
            if text:
                log.say("loggers.py:248", text)


class _Line:
    def __init__(self, engine: Engine, rank: int) -> None:
        self._engine = engine
        self._rank = rank
        self._at = time.perf_counter()
        self._counted = self._count()
        self._was_busy = False

    def text(self) -> str | None:
        now, counted = time.perf_counter(), self._count()
        seconds = now - self._at
        prompt, generation = ((new - old) / seconds for new, old in zip(counted, self._counted, strict=True))
        self._at, self._counted = now, counted
        engine = self._engine
        busy = bool(prompt or generation or engine.running or engine.waiting)
        shown, self._was_busy = busy or self._was_busy, busy
        if not shown:
            return None
        return (
            f"Engine {self._rank:03d}: Avg prompt throughput: {prompt:.1f} tokens/s,"
            f" Avg generation throughput: {generation:.1f} tokens/s, Running: {engine.running} reqs,"
            f" Waiting: {engine.waiting} reqs, GPU KV cache usage: {engine.cache_usage:.1%},"
            " Prefix cache hit rate: 0.0%"
        )

    def _count(self) -> tuple[float, float]:
        values = self._engine.metrics.values
        return values["prompt_tokens", ""], values["generation_tokens", ""]
