"""The model server's own counters, read before and after a run: a witness beside the client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

_SAMPLE: Final = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{[^}]*\})? (?P<value>[0-9.eE+-]+)", re.ASCII)
_NAMES: Final = {
    "vllm:generation_tokens_total": "generated",
    "vllm:request_success_total": "answered",
    "vllm:e2e_request_latency_seconds_sum": "latency_s",
    "vllm:e2e_request_latency_seconds_count": "latencies",
}
_GAUGES: Final = {"vllm:num_requests_running": "running", "vllm:num_requests_waiting": "waiting"}


@dataclass(frozen=True)
class Counters:
    """What a server has counted since it started, summed over its engines.

    Args:
        generated: tokens of answers.
        answered: requests that ended well.
        latency_s: seconds from a request's arrival to its last token, summed.
        latencies: requests in that sum.
    """

    generated: float = 0.0
    answered: float = 0.0
    latency_s: float = 0.0
    latencies: float = 0.0

    @classmethod
    def of_page(cls, page: str) -> Self | None:
        """Read them off a Prometheus page; None where it is none of vLLM's."""
        sums = _sums(page, _NAMES)
        return cls(**sums) if "generated" in sums else None

    def since(self, before: Counters) -> Counters | None:
        """Give what was counted since then; None where the server was started anew."""
        difference = {name: value - getattr(before, name) for name, value in asdict(self).items()}
        return None if min(difference.values()) < 0 else Counters(**difference)


@dataclass(frozen=True)
class Load:
    """What a server has counted, and what it does now; summed over its engines.

    Args:
        running: requests that get tokens.
        waiting: requests in the queue.
    """

    counters: Counters
    running: float
    waiting: float

    @classmethod
    def of_page(cls, page: str) -> Self | None:
        """Read it off a Prometheus page; None where it is none of vLLM's."""
        counters, sums = Counters.of_page(page), _sums(page, _GAUGES)
        if counters is None:
            return None
        return cls(counters, sums.get("running", 0.0), sums.get("waiting", 0.0))


@dataclass(frozen=True)
class Look:
    """One look at the server.

    Args:
        restarts: of its containers, by Pod; a Pod that was replaced has another name.
        counters: None where they could not be read, or where more than one Pod was ready.
        unready: Pods that took no requests.
    """

    restarts: Mapping[str, int]
    counters: Counters | None = None
    unready: tuple[str, ...] = ()

    @property
    def ready(self) -> frozenset[str]:
        """The Pods that took requests."""
        return frozenset(self.restarts) - frozenset(self.unready)

    def record(self) -> dict[str, Any]:
        """Turn it into JSON types."""
        counters = asdict(self.counters) if self.counters else None
        return {"restarts": dict(self.restarts), "counters": counters, "unready": list(self.unready)}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Read what `record` wrote; an earlier version noted the Pods that were ready alone."""
        counters = record["counters"]
        return cls(
            record["restarts"], Counters(**counters) if counters else None, tuple(record.get("unready", ()))
        )


def serving(before: Look | None, after: Look) -> frozenset[str]:
    """Name the Pods that were measured: those that were ready in both looks.

    A server under load may miss its probe for a moment: where none is ready at the end, those before count.

    Args:
        before: None where nobody looked.
        after: when the run had ended.
    """
    earlier = before.ready if before else frozenset()
    return (earlier & after.ready) or earlier or after.ready


def _sums(page: str, names: Mapping[str, str]) -> dict[str, float]:
    """Sum the samples of each metric over its labels."""
    sums: dict[str, float] = {}
    for line in page.splitlines():
        found = _SAMPLE.fullmatch(line.strip())
        if found and found["name"] in names:
            name = names[found["name"]]
            sums[name] = sums.get(name, 0.0) + float(found["value"])
    return sums
