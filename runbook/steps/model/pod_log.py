"""What is new in a Pod's log since the last look, through restarts of its container."""

from __future__ import annotations

import time
from typing import Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object

_OVERLAP_S: Final = 5
"""Lines are asked for so much further back: the clocks' seconds and the last look's own time."""


class PodLog:
    """The log of a Pod's only container, asked for piece by piece: a whole one may have megabytes.

    Args:
        kube: the cluster.
        pod: whose log it is.
    """

    def __init__(self, kube: KubeClient, pod: Object) -> None:
        self._kube = kube
        self.pod: str = pod["metadata"]["name"]
        self._restarts = 0
        self._looked: float | None = None
        self._last = ""

    def news(self, pod: Object) -> list[str]:
        """Read the lines since the last call.

        Args:
            pod: as it is now.
        """
        statuses = pod.get("status", {}).get("containerStatuses", ())
        restarts = max((int(status["restartCount"]) for status in statuses), default=0)
        found = []
        looked = time.monotonic()
        if restarts > self._restarts:
            found = self._read(pod, previous=True)
            self._restarts, self._last = restarts, ""
        found += self._read(pod, previous=False)
        self._looked = looked
        return found

    def _read(self, pod: Object, *, previous: bool) -> list[str]:
        seconds = None if self._looked is None else int(time.monotonic() - self._looked) + _OVERLAP_S
        container, namespace = pod["spec"]["containers"][0]["name"], pod["metadata"]["namespace"]
        text = self._kube.logs(namespace, self.pod, container, previous=previous, seconds=seconds)
        lines = text[: text.rfind("\n") + 1].splitlines()
        if self._last in lines:
            known = len(lines) - lines[::-1].index(self._last)
            lines = lines[known:]
        self._last = lines[-1] if lines else self._last
        return lines
