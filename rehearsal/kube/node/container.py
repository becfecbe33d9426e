"""One container of a Pod: pulled, started, probed, restarted, stopped."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator

from rehearsal.kube.api.runtime import Typed
from rehearsal.kube.api.store import Object
from rehearsal.kube.control.deadlines import back_off_seconds
from rehearsal.kube.control.pods import is_sidecar
from rehearsal.kube.node import image_pull
from rehearsal.kube.node.container_probes import ContainerProbes
from rehearsal.kube.node.container_process import ContainerProcess, StartFailed
from rehearsal.kube.node.container_state import ContainerState
from rehearsal.kube.node.environment import NotCreated
from rehearsal.kube.node.pod import RunningPod
from rehearsal.world import Settings

_FIRST_BACK_OFF = 10.0
_LONGEST_BACK_OFF = 300.0
_FORGIVEN_AFTER_SECONDS = 600.0
_LINGERING_LOOK_SECONDS = 0.1
_CREATION_RETRY_SECONDS = 2.0
_START_ERROR = 128


class Container:
    """Runs one container until it has ended for good.

    Args:
        spec: the container's part of the Pod's spec.
        changed: called after each change of its state.
    """

    def __init__(self, pod: RunningPod, spec: Object, changed: Callable[[], None]) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.state = ContainerState(self.name, spec["image"], pod.object["metadata"]["uid"])
        self.up = asyncio.Event()
        self._pod = pod
        self._changed = changed
        self._process: ContainerProcess | None = None
        self._failures = 0

    async def run(self) -> None:
        """Run it, again and again as the restart policy says; return when it has ended for good."""
        if self.state.exit_code is not None and not self.ended:
            self._count_restart()
        while not self.ended:
            await self._run_once()
            if not self.ended:
                await self._back_off()
                self._count_restart()

    @property
    def ended(self) -> bool:
        """Tell whether it has ended and will not be started again."""
        return self.state.exit_code is not None and not self._restarts(self.state.exit_code)

    def _restarts(self, code: int) -> bool:
        if is_sidecar(self.spec):
            return True
        policy = self._pod.object["spec"].get("restartPolicy", "Always")
        return bool(policy == "Always" or (policy == "OnFailure" and code != 0))

    def _count_restart(self) -> None:
        self.state.restart_count += 1
        self._pod.files.forget_logs(self.name, self.state.restart_count - 1)

    async def _run_once(self) -> None:
        await image_pull.pull(self._pod, self.spec, self.state, self._changed)
        process = await self._create()
        self._say("Normal", "Created", f"Created container: {self.name}")
        started = time.monotonic()
        try:
            await process.start()
        except StartFailed as failure:
            self._say("Warning", "Failed", f"Error: {failure}")
            self.state.end(_START_ERROR, "StartError", str(failure))
            self._changed()
            return
        await self._live(process)
        if time.monotonic() - started > max(_FORGIVEN_AFTER_SECONDS * self._settings.time_scale, 60.0):
            self._failures = 0

    async def _create(self) -> ContainerProcess:
        """Prepare the process; wait while the configuration that it needs is missing."""
        refusals = self._told_refusals()
        while True:
            try:
                if refusal := next(refusals, None):
                    raise NotCreated(refusal)
                return ContainerProcess(self._pod, self.spec, self.state.restart_count)
            except NotCreated as trouble:
                self._say("Warning", "Failed", f"Error: {trouble}")
                self.state.wait(trouble.reason, str(trouble))
                self._changed()
                await asyncio.sleep(_CREATION_RETRY_SECONDS)

    def _told_refusals(self) -> Iterator[str]:
        """Give what a scenario has the container runtime say, the last of it for ever."""
        told = self._pod.services.told.run_of(self.name)
        if told is not None and told.not_created:
            yield from told.not_created
            yield from itertools.repeat(told.not_created[-1])

    async def _live(self, process: ContainerProcess) -> None:
        self._process = process
        self._say("Normal", "Started", f"Started container {self.name}")
        self.state.run()
        self._changed()
        probes = ContainerProbes(self._pod, self.spec, self.state, process, self._probed)
        watching = asyncio.ensure_future(probes.run())
        try:
            code = await process.wait()
        finally:
            watching.cancel()
        self._process = None
        self.state.end(code, process.told_reason)
        self._changed()

    def _probed(self) -> None:
        if self.state.started:
            self.up.set()
        self._changed()

    async def _back_off(self) -> None:
        """Wait before the next run: the first time not at all, then longer each time."""
        self._failures += 1
        if self._failures == 1:
            return
        failures = self._failures - 1
        seconds = int(min(_FIRST_BACK_OFF * 2.0 ** min(failures - 1, 20), _LONGEST_BACK_OFF))
        told = f"{seconds}s" if seconds < 60 else f"{seconds // 60}m{seconds % 60}s"
        text = f"restarting failed container={self.name} pod={self._pod.full_name}"
        self.state.wait("CrashLoopBackOff", f"back-off {told} {text}")
        self._say(
            "Warning",
            "BackOff",
            f"Back-off restarting failed container {self.name} in pod {self._pod.full_name}",
        )
        self._changed()
        await asyncio.sleep(back_off_seconds(self._settings, failures, _FIRST_BACK_OFF, _LONGEST_BACK_OFF))

    async def stop(self, grace_seconds: float) -> None:
        """End it for good. `run` must have been cancelled, or return by itself."""
        process = self._process
        if process is None:
            return
        self._say("Normal", "Killing", f"Stopping container {self.name}")
        code = await process.stop(grace_seconds)
        while self._pod.services.told.lingers(self.name):  # noqa: ASYNC110 - what is told has no event
            await asyncio.sleep(_LINGERING_LOOK_SECONDS)
        if self.state.is_running:
            self.state.end(code)
        self._process = None

    def kill(self) -> None:
        """Kill its processes at once."""
        if self._process is not None:
            self._process.kill()

    async def gone(self) -> None:
        """Wait until its processes, which were killed, have ended."""
        if self._process is not None:
            await self._process.wait()

    async def execute(self, command: list[str], typed: Typed | None) -> tuple[int, bytes, bytes]:
        """Run a command beside it.

        Args:
            typed: the command's standard input; None: it has none.

        Returns:
            exit code, stdout and stderr.
        """
        if self._process is None:
            return 1, b"", f'container not found ("{self.name}")\n'.encode()
        return await self._process.execute(command, typed)

    def describe(self) -> None:
        """Write its description afresh: addresses of Services changed."""
        if self._process is not None:
            self._pod.describe(self.spec)

    def _say(self, severity: str, reason: str, message: str) -> None:
        self._pod.say(severity, self.name, reason, message)

    @property
    def _settings(self) -> Settings:
        return self._pod.services.world.settings
