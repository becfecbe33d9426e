"""What a scenario can do to the stand-in: one method for each key of its file."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rehearsal.control.callers import APPLY, Callers
from rehearsal.control.kubeconfig import write_kubeconfig
from rehearsal.control.reset import reset
from rehearsal.front.errors import GoogleError
from rehearsal.front.faults import Fault
from rehearsal.gke import Gke
from rehearsal.gke.names import ClusterName
from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.told import Told
from rehearsal.world import World

FIELD_MANAGER = "runbook"
PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.05


class Verbs:
    """The verbs, about one cluster.

    Args:
        world: the stand-in.
        gke: its GKE.
        values: the scenario's parameters.
        callers: ask the stand-in's APIs.
    """

    def __init__(self, world: World, gke: Gke, values: Mapping[str, Any], callers: Callers) -> None:
        self._world = world
        self._gke = gke
        self._values = values
        self._callers = callers
        self._name = ClusterName(values["project"], values["location"], values["cluster"])

    async def do(self, verb: str, wanted: Any) -> None:
        """Do what one key of a scenario says.

        Raises:
            GoogleError: 400, there is no such verb, or it does not fit the stand-in's state.
        """
        verbs: dict[str, Callable[[Any], Awaitable[None]]] = {
            "reset": self._reset,
            "project": self._project,
            "cluster": self._cluster,
            "node_pools": self._node_pools,
            "operation": self._operation,
            "after_create": self._after_create,
            "failed_operations": self._failed_operations,
            "faults": self._faults,
            "buckets": self._buckets,
            "grants": self._grants,
            "tell": self._tell,
            "apply": self._apply,
            "events": self._events,
            "kubeconfig": self._kubeconfig,
            "until": self._until,
        }
        if verb not in verbs:
            raise GoogleError(400, f"A scenario has no key {verb}: it has {', '.join(verbs)}.")
        await verbs[verb](wanted)

    async def _reset(self, _: bool) -> None:
        await reset(self._world, self._gke)

    async def _project(self, wanted: dict[str, Any]) -> None:
        """Tell what is off, forbidden, reserved and granted in the projects."""
        try:
            self._world.project.change(wanted)
        except (TypeError, ValueError) as error:
            raise GoogleError(400, f"project: {error}") from error

    async def _cluster(self, wanted: dict[str, Any]) -> None:
        await self._gke.operations.end_now(self._gke.create_cluster(self._name, wanted))

    async def _node_pools(self, wanted: list[dict[str, Any]]) -> None:
        """Make node pools; one with a `failure` is left in state ERROR, as its operation says."""
        for entry in wanted:
            failure = entry.get("failure", "")
            await self._gke.operations.end_now(
                self._gke.create_node_pool(self._name, entry["node_pool"], failure)
            )

    async def _operation(self, wanted: dict[str, Any]) -> None:
        self._gke.occupy(self._name, **wanted)

    async def _after_create(self, wanted: dict[str, Any]) -> None:
        self._gke.occupy_after_create(**wanted)

    async def _failed_operations(self, wanted: list[dict[str, str]]) -> None:
        """Note operations that have ended badly and left nothing behind."""
        for entry in wanted:
            self._gke.operations.note_failed(self._name, **entry)

    async def _faults(self, wanted: list[dict[str, Any]]) -> None:
        for document in wanted:
            try:
                self._world.faults.add(Fault.from_document(document))
            except ValueError as error:
                raise GoogleError(400, f"fault: {error}") from error

    async def _buckets(self, wanted: list[dict[str, Any]]) -> None:
        """Make buckets: `bucket` for the API, a `repository` of the hub under `folder`, other `objects`."""
        for entry in wanted:
            name = entry["bucket"]["name"]
            await self._callers.google("POST", f"/storage/v1/b?project={self._name.project}", entry["bucket"])
            for path, content in (await self._files(entry)).items():
                upload = f"/upload/storage/v1/b/{name}/o?uploadType=media&name={quote(path, safe='')}"
                await self._callers.google("POST", upload, content)

    async def _files(self, entry: Mapping[str, Any]) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        if repository := entry.get("repository"):
            listed = json.loads(await self._callers.hub(f"/api/models/{repository}"))
            for path in (sibling["rfilename"] for sibling in listed["siblings"]):
                if "/" not in path:
                    content = await self._callers.hub(f"/{repository}/resolve/main/{path}")
                    files[f"{entry['folder']}/{path}"] = content
        return files | {path: str(text).encode() for path, text in entry.get("objects", {}).items()}

    async def _grants(self, wanted: list[dict[str, str]]) -> None:
        for entry in wanted:
            path = f"/storage/v1/b/{entry['bucket']}/iam"
            policy = json.loads(await self._callers.google("GET", path))
            policy["bindings"].append({"role": entry["role"], "members": [entry["member"]]})
            await self._callers.google("PUT", path, policy)

    async def _tell(self, wanted: dict[str, Any]) -> None:
        try:
            Told(self._world.database).tell(wanted)
        except TypeError as error:
            raise GoogleError(400, f"tell: {error}") from error

    async def _apply(self, wanted: list[dict[str, Any]]) -> None:
        for manifest in wanted:
            name = manifest["metadata"]["name"]
            path = f"{self._collection(manifest['kind'])}/{name}?fieldManager={FIELD_MANAGER}&force=true"
            await self._kubernetes("PATCH", path, manifest, APPLY)

    async def _events(self, wanted: list[dict[str, str]]) -> None:
        """Write Events about an app's Pods, in the words of a component that is not played here."""
        for entry in wanted:
            pod = await self._pod(entry["app"])
            event = _event(pod["metadata"], entry)
            await self._kubernetes("POST", self._collection("Event"), event)

    async def _kubeconfig(self, wanted: dict[str, str]) -> None:
        file, command = Path(wanted["file"]), wanted["command"]
        write_kubeconfig(self._world.database, file, self._name, self._endpoint(), command)

    async def _until(self, wanted: list[dict[str, str]]) -> None:
        """Wait until a list of the cluster's objects shows some text: the state has then come about."""
        for entry in wanted:
            deadline = time.monotonic() + PATIENCE_SECONDS
            path = self._collection(entry["kind"])
            while not re.search(entry["shows"], json.dumps(await self._kubernetes("GET", path))):
                if time.monotonic() > deadline:
                    raise GoogleError(400, f"scenario: no {entry['kind']} shows {entry['shows']!r}")
                await asyncio.sleep(LOOK_SECONDS)

    async def _pod(self, app: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        path = f"{self._collection('Pod')}?labelSelector=app={app}"
        while not (found := (await self._kubernetes("GET", path))["items"]):
            if time.monotonic() > deadline:
                raise GoogleError(400, f"scenario: there is no Pod of {app}")
            await asyncio.sleep(LOOK_SECONDS)
        pod: dict[str, Any] = found[0]
        return pod

    def _collection(self, kind: str) -> str:
        known = kind_of(kind)
        base = f"/apis/{known.api_version}" if known.group else f"/api/{known.version}"
        namespaced = f"/namespaces/{self._values['namespace']}" if known.namespaced else ""
        return f"{base}{namespaced}/{known.plural}"

    def _endpoint(self) -> str:
        endpoint: str = self._gke.records.get(self._name).cluster["endpoint"]
        return endpoint

    async def _kubernetes(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Any:
        return await self._callers.kubernetes(self._endpoint(), method, path, body, content_type)


def _event(pod: dict[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    """Build an Event about a Pod, by its metadata."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    involved = {key: pod[key] for key in ("name", "namespace", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{pod['name']}.", "namespace": pod["namespace"]},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", **involved},
        "type": told.get("type", "Warning"),
        "reason": told["reason"],
        "message": told["message"],
        "source": {"component": told["component"]},
        "reportingComponent": told["component"],
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
