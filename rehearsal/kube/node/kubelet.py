"""The kubelets of a cluster: every Pod that has a node gets a worker, and loses it in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.runtime import Typed
from rehearsal.kube.api.store import Event, Object, Store
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.pods import has_ended, is_terminating
from rehearsal.kube.facts import ClusterFacts
from rehearsal.kube.node.gcsfuse import GcsFuse
from rehearsal.kube.node.images import Images
from rehearsal.kube.node.mounts import Mounts
from rehearsal.kube.node.pod import NodeServices, RunningPod
from rehearsal.kube.node.pod_files import PodFiles
from rehearsal.kube.node.pod_worker import PodWorker
from rehearsal.kube.node.ports import LOOPBACK
from rehearsal.kube.node.programs import Programs
from rehearsal.kube.node.reaper import Reaper
from rehearsal.kube.node.service_proxy import ServiceProxy
from rehearsal.kube.supervision import supervised
from rehearsal.kube.told import Told
from rehearsal.world import World

_DEFAULT_GRACE_SECONDS = 30


class Kubelet:
    """Runs the Pods of all nodes of one cluster.

    Args:
        folder: where the Pods' files are.
        reaper: kills the containers when the stand-in dies.
    """

    def __init__(self, world: World, store: Store, facts: ClusterFacts, folder: Path, reaper: Reaper) -> None:
        self._store = store
        self._folder = folder
        self._workers: dict[str, PodWorker] = {}
        self._proxy = ServiceProxy(store, self.address, self.describe)
        told = Told(world.database)
        self._services = NodeServices(
            world=world,
            cluster=facts.key,
            store=store,
            recorder=EventRecorder(store, "kubelet"),
            images=Images(world),
            mounts=Mounts(store, GcsFuse(world, store, facts), told),
            programs=Programs(folder.parent / "bin"),
            reaper=reaper,
            proxy=self._proxy,
            told=told,
        )

    async def run(self) -> None:
        """Follow the Pods until cancelled; then kill all containers."""
        queue = self._store.subscribe()
        proxy = supervised(self._proxy.run(), "service proxy")
        try:
            self._sweep()
            for pod in self._store.list(kind_of("Pod")):
                self._sync(pod)
            while True:
                self._handle(await queue.get())
        finally:
            self._store.unsubscribe(queue)
            proxy.cancel()
            await asyncio.gather(proxy, *map(PodWorker.close, self._workers.values()), return_exceptions=True)

    def _sweep(self) -> None:
        """Delete the files of Pods that went while nobody looked."""
        known = {pod["metadata"]["uid"] for pod in self._store.list(kind_of("Pod"))}
        for folder in self._folder.glob("*"):
            if folder.name not in known:
                PodFiles(folder).remove()

    def _handle(self, event: Event) -> None:
        if event.kind.kind != "Pod":
            return
        if event.type == "DELETED":
            self._remove(event.object)
        else:
            self._sync(event.object)

    def _sync(self, pod: Object) -> None:
        if not pod["spec"].get("nodeName"):
            return
        worker = self._workers.get(pod["metadata"]["uid"])
        if is_terminating(pod):
            self._terminate(pod, worker)
        elif worker is None and not has_ended(pod):
            self._start(pod)

    def _terminate(self, pod: Object, worker: PodWorker | None) -> None:
        metadata = pod["metadata"]
        if worker is not None:
            worker.terminate(metadata.get("deletionGracePeriodSeconds", _DEFAULT_GRACE_SECONDS))
        elif metadata.get("deletionGracePeriodSeconds"):
            self._store.delete(kind_of("Pod"), metadata["namespace"], metadata["name"])

    def _start(self, pod: Object) -> None:
        node = self._store.get(kind_of("Node"), None, pod["spec"]["nodeName"])
        if node is None:
            return
        uid = pod["metadata"]["uid"]
        host_ip = node["status"]["addresses"][0]["address"]
        files = PodFiles(self._folder / uid)
        running = RunningPod(self._services, pod, files, self._free_ip(node), host_ip)
        self._workers[uid] = PodWorker(running)
        self._workers[uid].start()

    def _free_ip(self, node: Object) -> str:
        network = node["spec"]["podCIDR"].rpartition(".")[0]
        taken = {worker.pod.ip for worker in self._workers.values()}
        return next(ip for number in range(2, 65536) if (ip := _ip(network, number)) not in taken)

    def _remove(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.pop(uid, None)
        if worker is not None:
            worker.kill()
        PodFiles(self._folder / uid).remove()

    def describe(self) -> None:
        """Tell all containers what has changed around them."""
        for worker in self._workers.values():
            worker.describe()

    def worker(self, namespace: str, name: str) -> PodWorker | None:
        """Find the worker of a Pod by the Pod's name."""
        return next((entry for entry in self._named(namespace, name)), None)

    def _named(self, namespace: str, name: str) -> Iterator[PodWorker]:
        for worker in self._workers.values():
            metadata = worker.pod.object["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name):
                yield worker

    def address(self, namespace: str, pod: str, port: int) -> tuple[str, int] | None:
        """Say where on loopback a Pod's port really listens; None where no container declares it."""
        worker = self.worker(namespace, pod)
        local = worker.pod.ports.get(port) if worker else None
        return (LOOPBACK, local) if local else None

    def running(self, namespace: str, pod: str) -> bool:
        """Tell whether any of the Pod's containers runs now."""
        worker = self.worker(namespace, pod)
        return worker is not None and worker.is_running

    def log_path(self, namespace: str, pod: str, container: str, previous: bool) -> Path:
        """Say which file a container's output goes to; the file need not be there yet.

        Args:
            previous: the run before the last restart.
        """
        found = self._store.get(kind_of("Pod"), namespace, pod) or {"metadata": {"uid": "none"}}
        status = found.get("status") or {}
        fields = ("initContainerStatuses", "containerStatuses")
        entries = [entry for field in fields for entry in status.get(field) or []]
        runs = next((entry["restartCount"] for entry in entries if entry["name"] == container), 0)
        return PodFiles(self._folder / found["metadata"]["uid"]).log(
            container, runs - 1 if previous else runs
        )

    async def exec(
        self, namespace: str, pod: str, container: str, command: list[str], typed: Typed | None
    ) -> tuple[int, bytes, bytes]:
        """Run a command beside a container and give its exit code, stdout and stderr.

        Args:
            typed: its standard input; None: it has none.
        """
        worker = self.worker(namespace, pod)
        found = worker.container(container) if worker else None
        if found is None:
            return 1, b"", f'container not found ("{container}")\n'.encode()
        return await found.execute(command, typed)


def _ip(network: str, number: int) -> str:
    prefix, _, last = network.rpartition(".")
    return f"{prefix}.{int(last) + number // 256}.{number % 256}"
