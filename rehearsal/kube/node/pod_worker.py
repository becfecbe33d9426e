"""The life of one Pod on its node: volumes, init containers, containers, the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Object, timestamp
from rehearsal.kube.control.deadlines import back_off_seconds
from rehearsal.kube.control.pods import is_sidecar
from rehearsal.kube.node.container import Container
from rehearsal.kube.node.gcsfuse import MountFailed, SidecarFailed
from rehearsal.kube.node.pod import RunningPod
from rehearsal.kube.node.pod_status import conditions_of, phase_of
from rehearsal.kube.supervision import supervised

_FIRST_MOUNT_RETRY = 2.0
_LAST_MOUNT_RETRY = 120.0
_SIDECAR_GRACE_SECONDS = 2.0
_LEAST_GRACE_SECONDS = 2.0


class PodWorker:
    """Runs one Pod and keeps its status.

    Args:
        pod: the Pod; the status that the store has of it, if any, is gone on from.
    """

    def __init__(self, pod: RunningPod) -> None:
        self.pod = pod
        spec = pod.object["spec"]
        self.init = [Container(pod, entry, self.publish) for entry in spec.get("initContainers") or []]
        self.main = [Container(pod, entry, self.publish) for entry in spec["containers"]]
        self._initialized = self._init_failed = self._sandbox = self._stopped = self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._sidecars: list[asyncio.Task[None]] = []
        self._ending: asyncio.Task[None] | None = None
        if self.init:
            for container in self.containers():
                container.state.wait("PodInitializing")
        self._recover()

    def start(self) -> None:
        """Begin."""
        self._task = supervised(self._run(), f"pod {self.pod.full_name}")

    def containers(self) -> Iterable[Container]:
        """Give all containers, init containers first."""
        return [*self.init, *self.main]

    def container(self, name: str) -> Container | None:
        """Find a container by its name."""
        return next((entry for entry in self.containers() if entry.name == name), None)

    @property
    def is_running(self) -> bool:
        """Tell whether any main container runs."""
        return any(container.state.is_running for container in self.main)

    def _recover(self) -> None:
        """Go on from the status of before a restart. Regular init containers run again, as after a reboot."""
        status = self.pod.object.get("status") or {}
        known = {
            entry["name"]: entry
            for field in ("initContainerStatuses", "containerStatuses")
            for entry in status.get(field) or []
        }
        for container in self.containers():
            if container.name in known:
                container.state.recover(known[container.name])
                if container.state.pulled:
                    self.pod.services.images.keep(self.pod.node, container.spec["image"])
        for container in self.init:
            if not is_sidecar(container.spec):
                container.state.wait("PodInitializing")

    async def _run(self) -> None:
        self.publish()
        await self._mount()
        self.pod.assign_ports()
        self._sandbox = True
        self.publish()
        if await self._initialize():
            self._initialized = True
            await asyncio.gather(*(container.run() for container in self.main))
        else:
            self._init_failed = True
        await self._stop_sidecars()
        self.publish()

    async def _mount(self) -> None:
        """Set up every volume; one that cannot be is tried again for ever."""
        for volume in self.pod.object["spec"].get("volumes") or []:
            failures = 0
            while not self._mount_once(volume):
                failures += 1
                settings = self.pod.services.world.settings
                await asyncio.sleep(
                    back_off_seconds(settings, failures, _FIRST_MOUNT_RETRY, _LAST_MOUNT_RETRY)
                )

    def _mount_once(self, volume: Object) -> bool:
        folder = self.pod.files.volume(volume["name"])
        try:
            self.pod.services.mounts.mount(self.pod.object, volume, folder)
        except SidecarFailed as failure:
            self.pod.sidecar_log += f"{failure.cause}\n"
            self.pod.say("Warning", "", "FailedMount", str(failure))
        except MountFailed as failure:
            self.pod.say("Warning", "", "FailedMount", str(failure))
            return False
        self.pod.volumes[volume["name"]] = folder
        return True

    async def _initialize(self) -> bool:
        """Run the init containers, one after another; tell whether all are done."""
        for container in self.init:
            if is_sidecar(container.spec):
                self._sidecars.append(supervised(container.run(), f"sidecar of {self.pod.full_name}"))
                await container.up.wait()
            else:
                await container.run()
                if container.state.exit_code != 0:
                    return False
        return True

    async def _stop_sidecars(self) -> None:
        """End the sidecars, the last one first, after the containers that they served."""
        for task in self._sidecars:
            task.cancel()
        for container in reversed(self.init):
            if is_sidecar(container.spec):
                await container.stop(_SIDECAR_GRACE_SECONDS)
        self._stopped = True

    def terminate(self, grace_seconds: float) -> None:
        """Stop the containers and then take the Pod out of the store."""
        if self._ending is None:
            self._ending = supervised(self._terminate(grace_seconds), f"end of pod {self.pod.full_name}")

    async def _terminate(self, grace_seconds: float) -> None:
        if self._task is not None:
            self._task.cancel()
        scaled = grace_seconds * self.pod.services.world.settings.time_scale
        grace = max(scaled, min(grace_seconds, _LEAST_GRACE_SECONDS))
        plain = [entry for entry in self.init if not is_sidecar(entry.spec)]
        await asyncio.gather(*(container.stop(grace) for container in [*plain, *self.main]))
        await self._stop_sidecars()
        self.publish()
        self._closed = True
        metadata = self.pod.object["metadata"]
        present = self.pod.services.store.get(kind_of("Pod"), metadata["namespace"], metadata["name"])
        if present is not None and present["metadata"]["uid"] == metadata["uid"]:
            self.pod.services.store.delete(kind_of("Pod"), metadata["namespace"], metadata["name"])

    def kill(self) -> None:
        """Kill everything at once and write no status any more."""
        self._closed = True
        for task in [self._task, self._ending, *self._sidecars]:
            if task is not None:
                task.cancel()
        for container in self.containers():
            container.kill()

    async def close(self) -> None:
        """Kill everything and wait until it is gone."""
        self.kill()
        tasks = [task for task in [self._task, self._ending, *self._sidecars] if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(container.gone() for container in self.containers()))

    def describe(self) -> None:
        """Tell the containers the addresses of Services afresh."""
        for container in self.containers():
            container.describe()

    def publish(self) -> None:
        """Write the Pod's status."""
        metadata = self.pod.object["metadata"]
        store = self.pod.services.store
        present = store.get(kind_of("Pod"), metadata["namespace"], metadata["name"])
        if self._closed or present is None or present["metadata"]["uid"] != metadata["uid"]:
            return
        present["status"] = self._status(present.get("status") or {})
        store.update(kind_of("Pod"), present, status_only=True)

    def _status(self, before: Object) -> Object:
        phase = phase_of(
            self.main, initialized=self._initialized, failed=self._init_failed, stopped=self._stopped
        )
        conditions = conditions_of(
            before.get("conditions"),
            self.init,
            self.main,
            initialized=self._initialized,
            sandbox=self._sandbox,
            phase=phase,
        )
        status = {**before, "phase": phase, "conditions": conditions}
        status |= {"hostIP": self.pod.host_ip, "hostIPs": [{"ip": self.pod.host_ip}]}
        status.setdefault("startTime", timestamp())
        if self._sandbox:
            status |= {"podIP": self.pod.ip, "podIPs": [{"ip": self.pod.ip}]}
        if self.init:
            status["initContainerStatuses"] = [entry.state.status() for entry in self.init]
        status["containerStatuses"] = [entry.state.status() for entry in self.main]
        return status
