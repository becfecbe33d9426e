"""When the lines of containers' logs were written, to the second: the log files themselves do not say."""

from __future__ import annotations

import asyncio
import bisect
import time
from pathlib import Path

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.runtime import PodRuntime
from rehearsal.kube.api.store import Store

_INTERVAL_SECONDS = 1.0
_SAMPLES = 5000


class LogTimes:
    """Looks once a second how far each log has grown.

    Args:
        runtime: knows the log files.
    """

    def __init__(self, store: Store, runtime: PodRuntime) -> None:
        self._store = store
        self._runtime = runtime
        self._samples: dict[Path, list[tuple[int, float]]] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(_INTERVAL_SECONDS)

    def look(self) -> None:
        """Note how far each log has grown by now, and forget the logs that are gone."""
        paths = self._paths()
        for path in self._samples.keys() - paths:
            del self._samples[path]
        for path in paths:
            size = path.stat().st_size if path.exists() else 0
            samples = self._samples.setdefault(path, [])
            if size and (not samples or samples[-1][0] < size):
                samples.append((size, time.time()))
                del samples[:-_SAMPLES]

    def _paths(self) -> set[Path]:
        return {
            self._runtime.log_path(
                pod["metadata"]["namespace"], pod["metadata"]["name"], status["name"], False
            )
            for pod in self._store.list(kind_of("Pod"))
            for status in pod.get("status", {}).get("containerStatuses", [])
        }

    def written(self, path: Path, offset: int) -> float:
        """Say when the byte before an offset was written: at most a second late, in seconds since 1970."""
        samples = self._samples.get(path, [])
        index = bisect.bisect_left(samples, (offset, 0.0))
        return samples[index][1] if index < len(samples) else path.stat().st_mtime
