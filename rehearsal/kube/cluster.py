"""One cluster: its API server on a port of its own, its controllers and its nodes."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from rehearsal.front import middlewares
from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.server import application
from rehearsal.kube.api.store import Store
from rehearsal.kube.certificates import Authority
from rehearsal.kube.control.addons import install_addons
from rehearsal.kube.control.admission import Admission
from rehearsal.kube.control.autopilot import NodeProvisioning
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.manager import controllers
from rehearsal.kube.control.nodes import register_nodes
from rehearsal.kube.facts import ClusterFacts
from rehearsal.kube.identity import Identity, identity_of
from rehearsal.kube.node.kubelet import Kubelet
from rehearsal.kube.node.ports import LOOPBACK
from rehearsal.kube.node.reaper import Reaper
from rehearsal.kube.supervision import supervised
from rehearsal.world import World

_SHUTDOWN_SECONDS = 0.5


class Cluster:
    """One running cluster.

    Args:
        key: `projects/P/locations/L/clusters/C`.
        authority: signs the API server's certificate.
    """

    def __init__(self, world: World, key: str, facts: Mapping[str, Any], authority: Authority) -> None:
        self._world = world
        self._authority = authority
        self._made = world.database.collection(f"kubernetes {key} made for Pods")
        self._facts = ClusterFacts(key, nodes=list((self._made.get("nodes") or {}).get("made", [])))
        self._facts.take(facts)
        self._objects = world.database.collection(f"kubernetes {key}")
        self._folder = world.home / "kubernetes" / key.replace("/", "_")
        self._store = Store(self._objects)
        self._admission = Admission(self._store, self._facts)
        self._reaper = Reaper()
        self._kubelet = Kubelet(world, self._store, self._facts, self._folder / "pods", self._reaper)
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int) -> None:
        """Serve the API and start to act.

        Args:
            port: the port of the last time, taken again where it is free; 0 = any.
        """
        self.take(None)
        scaler = EventRecorder(self._store, "cluster-autoscaler")
        provisioning = NodeProvisioning(self._store, self._facts, scaler, partial(self.take, None))
        loop = controllers(self._store, self._admission, self._facts, self._world, provisioning)
        self._tasks = [supervised(loop.run(), "controllers"), supervised(self._kubelet.run(), "kubelet")]
        app = application(self._store, self._kubelet, self._admission, self._facts.version)
        app.middlewares[:0] = middlewares(self._world, "kubernetes")
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        self.port = await self._listen(self._runner, port)

    async def _listen(self, runner: web.AppRunner, port: int) -> int:
        context = self._authority.server_context()
        try:
            await web.TCPSite(runner, LOOPBACK, port, ssl_context=context).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not port:
                raise
            await web.TCPSite(runner, LOOPBACK, 0, ssl_context=context).start()
        return int(runner.addresses[0][1])

    def take(self, facts: Mapping[str, Any] | None) -> None:
        """Make Nodes and add-ons what GKE says."""
        if facts is not None:
            self._facts.take(facts)
        self._made["nodes"] = {"made": [dict(node) for node in self._facts.made]}
        install_addons(self._store, self._facts)
        register_nodes(self._store, self._facts)

    def describe(self) -> None:
        """Tell all containers the settings of now."""
        self._kubelet.describe()

    def identity(self, namespace: str, pod: str) -> Identity | None:
        """Tell who a Pod that has a node is to Google's APIs."""
        found = self._store.get(kind_of("Pod"), namespace, pod)
        return (
            identity_of(found, self._store, self._facts) if found and found["spec"].get("nodeName") else None
        )

    async def stop(self) -> None:
        """Stop the API server and kill all containers; the objects stay."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._runner is not None:
            await self._runner.cleanup()
        self._reaper.close()

    def erase(self) -> None:
        """Forget all objects and files of a stopped cluster."""
        self._objects.clear()
        self._made.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
