"""The probes of one running container, and what comes of their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rehearsal.kube.api.runtime import ExecFailed
from rehearsal.kube.api.store import Object
from rehearsal.kube.node.container_process import ContainerProcess
from rehearsal.kube.node.container_state import ContainerState
from rehearsal.kube.node.pod import RunningPod
from rehearsal.kube.node.probes import Target, failure

_SHORTEST_PERIOD_SECONDS = 0.2
_STEADY_PERIOD_SECONDS = 1.0
_KILL_GRACE_SECONDS = 30.0


class ContainerProbes:
    """Asks the probes of a container while it runs.

    Args:
        changed: called when `ready` or `started` changed.
    """

    def __init__(
        self,
        pod: RunningPod,
        spec: Object,
        state: ContainerState,
        process: ContainerProcess,
        changed: Callable[[], None],
    ) -> None:
        self._pod = pod
        self._spec = spec
        self._state = state
        self._process = process
        self._changed = changed
        names = {port["name"]: port["containerPort"] for port in spec.get("ports") or [] if port.get("name")}
        self._target = Target(pod.ip, names, pod.ports.get, self._execute)

    async def run(self) -> None:
        """Wait for the startup probe, then ask the others until cancelled."""
        if "startupProbe" in self._spec and not await self._start_up(self._spec["startupProbe"]):
            return
        self._state.started = True
        self._state.ready = "readinessProbe" not in self._spec
        self._changed()
        others = []
        if "readinessProbe" in self._spec:
            others.append(self._watch_readiness(self._spec["readinessProbe"]))
        if "livenessProbe" in self._spec:
            others.append(self._watch_liveness(self._spec["livenessProbe"]))
        await asyncio.gather(*others)

    async def _start_up(self, probe: Object) -> bool:
        await self._pause(probe, "initialDelaySeconds")
        for _ in range(probe.get("failureThreshold", 3)):
            trouble = await failure(probe, self._target)
            if not trouble:
                return True
            self._unhealthy("Startup", trouble)
            await self._pause(probe, "periodSeconds")
        await self._kill("startup")
        return False

    async def _watch_readiness(self, probe: Object) -> None:
        await self._pause(probe, "initialDelaySeconds")
        good = bad = 0
        while True:
            trouble = await failure(probe, self._target)
            good, bad = (0, bad + 1) if trouble else (good + 1, 0)
            if trouble:
                self._unhealthy("Readiness", trouble)
            if self._state.ready and bad >= probe.get("failureThreshold", 3):
                self._become(False)
            elif not self._state.ready and good >= probe.get("successThreshold", 1):
                self._become(True)
            await self._pause(probe, "periodSeconds", steady=self._state.ready)

    def _become(self, ready: bool) -> None:
        self._state.ready = ready
        self._changed()

    async def _watch_liveness(self, probe: Object) -> None:
        await self._pause(probe, "initialDelaySeconds")
        bad = 0
        while bad < probe.get("failureThreshold", 3):
            trouble = await failure(probe, self._target)
            bad = bad + 1 if trouble else 0
            if trouble:
                self._unhealthy("Liveness", trouble)
            await self._pause(probe, "periodSeconds", steady=True)
        await self._kill("liveness")

    async def _pause(self, probe: Object, name: str, *, steady: bool = False) -> None:
        """Wait for a probe's period or delay, scaled; a container that is well is asked less often."""
        seconds = probe.get(name, 0 if name == "initialDelaySeconds" else 10)
        least = _STEADY_PERIOD_SECONDS if steady else _SHORTEST_PERIOD_SECONDS
        scaled = seconds * self._pod.services.world.settings.starting_scale
        await asyncio.sleep(scaled if name == "initialDelaySeconds" else max(scaled, least))

    def _unhealthy(self, probe: str, trouble: str) -> None:
        self._pod.say("Warning", self._spec["name"], "Unhealthy", f"{probe} probe failed: {trouble}")

    async def _kill(self, probe: str) -> None:
        name = self._spec["name"]
        self._pod.say("Normal", name, "Killing", f"Container {name} failed {probe} probe, will be restarted")
        await asyncio.shield(self._process.stop(_KILL_GRACE_SECONDS))

    async def _execute(self, command: list[str]) -> tuple[int, str]:
        try:
            code, output, errors = await self._process.execute(command, None)
        except ExecFailed as error:
            return 1, str(error)
        return code, (output + errors).decode(errors="replace")
