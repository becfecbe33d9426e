"""What the containers of one Pod share: its object, files, addresses and mounts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.node.images import Images
from rehearsal.kube.node.mounts import Mounts
from rehearsal.kube.node.pod_files import PodFiles
from rehearsal.kube.node.ports import free_port
from rehearsal.kube.node.programs import Programs
from rehearsal.kube.node.reaper import Reaper
from rehearsal.kube.node.service_proxy import ServiceProxy
from rehearsal.kube.told import Told
from rehearsal.world import World


@dataclass(frozen=True)
class NodeServices:
    """What every Pod of a cluster uses of its node.

    Args:
        cluster: `projects/P/locations/L/clusters/C`.
    """

    world: World
    cluster: str
    store: Store
    recorder: EventRecorder
    images: Images
    mounts: Mounts
    programs: Programs
    reaper: Reaper
    proxy: ServiceProxy
    told: Told


@dataclass
class RunningPod:
    """One Pod on its node.

    Args:
        object: as it was when the node took it; only its spec and metadata are used.
        ip: the Pod's address in the cluster.
        host_ip: its node's.
        ports: container port -> port of the loopback.
        volumes: volume name -> folder.
        sidecar_log: what the sidecar that mounts buckets has to say.
    """

    services: NodeServices
    object: Object
    files: PodFiles
    ip: str
    host_ip: str
    ports: dict[int, int] = field(default_factory=dict)
    volumes: dict[str, Path] = field(default_factory=dict)
    sidecar_log: str = ""

    @property
    def full_name(self) -> str:
        """Name the Pod as the kubelet's messages do."""
        metadata = self.object["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"

    @property
    def hostname(self) -> str:
        """Name the Pod as its containers do."""
        return str(self.object["spec"].get("hostname") or self.object["metadata"]["name"])

    @property
    def node(self) -> str:
        """Name the Pod's node."""
        return str(self.object["spec"]["nodeName"])

    def with_addresses(self) -> Object:
        """Give the Pod as fieldRef sees it, with the addresses in its status."""
        addresses = {"podIP": self.ip, "podIPs": self.ip, "hostIP": self.host_ip, "hostIPs": self.host_ip}
        return {**self.object, "status": addresses}

    def mounts_of(self, container: Object) -> dict[str, Path]:
        """Map each mount path of a container to the local folder or file."""
        found = {}
        for mount in container.get("volumeMounts") or []:
            volume = self.volumes.get(mount["name"])
            if volume is not None:
                found[mount["mountPath"]] = volume / (mount.get("subPath") or "")
        return found

    def assign_ports(self) -> None:
        """Give each declared or probed container port a port of the loopback."""
        for container in [
            *(self.object["spec"].get("initContainers") or []),
            *self.object["spec"]["containers"],
        ]:
            for number in _numbers(container):
                if number not in self.ports:
                    self.ports[number] = free_port()

    def describe(self, container: Object) -> Path:
        """Write the file that tells a container its ports, mounts and neighbours; give its path."""
        world = self.services.world
        description = {
            "ports": {str(number): local for number, local in self.ports.items()},
            "hosts": self.services.proxy.hosts(self.object["metadata"]["namespace"]),
            "mounts": _strings(self.mounts_of(container)),
            "time_scale": world.settings.time_scale,
            "step_ms": world.settings.step_ms,
            "prefill_tokens_per_s": world.settings.prefill_tokens_per_s,
            "real": world.settings.real_programs(),
            "parent": os.getpid(),
        }
        path = self.files.description(container["name"])
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(description, indent=1))
        draft.replace(path)
        return path

    def say(self, severity: str, container: str, reason: str, message: str) -> None:
        """Write an Event about one of the containers."""
        path = f"spec.containers{{{container}}}" if container else ""
        record = self.services.recorder.warning if severity == "Warning" else self.services.recorder.normal
        record(self.object, reason, message, field_path=path, host=self.node)


def _numbers(container: Object) -> list[int]:
    probes = [container.get(name) or {} for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    asked = [probe.get(kind, {}).get("port") for probe in probes for kind in ("httpGet", "tcpSocket")]
    declared = [port["containerPort"] for port in container.get("ports") or []]
    return [*declared, *(port for port in asked if isinstance(port, int))]


def _strings(paths: Mapping[str, Path]) -> dict[str, str]:
    return {mount: str(path) for mount, path in paths.items()}
