"""A container's entry in its Pod's status."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from rehearsal.kube.api.store import Object, timestamp
from rehearsal.kube.node.images import image_id

_STARTING = {"waiting": {"reason": "ContainerCreating"}}
_KILLED_WITH_ITS_NODE = 137


@dataclass
class ContainerState:
    """What is known of one container.

    Args:
        state: waiting, running or terminated, with its details.
        last_state: how the run before ended.
        started: whether it runs and its startup probe, if any, succeeded.
    """

    name: str
    image: str
    pod_uid: str
    state: Object = field(default_factory=lambda: dict(_STARTING))
    last_state: Object = field(default_factory=dict)
    restart_count: int = 0
    ready: bool = False
    started: bool = False
    pulled: bool = False

    def wait(self, reason: str, message: str = "") -> None:
        """Note that it does not run yet, or not for now, and why."""
        self._leave()
        self.state = {"waiting": {"reason": reason} | ({"message": message} if message else {})}

    def run(self) -> None:
        """Note that it runs from now."""
        self._leave()
        self.state = {"running": {"startedAt": timestamp()}}

    def end(self, code: int, reason: str = "", message: str = "") -> None:
        """Note how it ended."""
        started = self.state.get("running", {}).get("startedAt", timestamp())
        ended = {
            "exitCode": code,
            "reason": reason or ("Error" if code else "Completed"),
            "startedAt": started,
            "finishedAt": timestamp(),
            "containerID": self.container_id,
        }
        self.state = {"terminated": ended | ({"message": message} if message else {})}
        self.ready = self.started = False

    def _leave(self) -> None:
        if "terminated" in self.state:
            self.last_state = self.state

    @property
    def container_id(self) -> str:
        """Give the id of the present run, as containerd's: it is made from the Pod's uid, name and run."""
        run = f"{self.pod_uid}/{self.name}/{self.restart_count}"
        return f"containerd://{hashlib.sha256(run.encode()).hexdigest()}"

    @property
    def is_running(self) -> bool:
        """Tell whether it runs now."""
        return "running" in self.state

    @property
    def exit_code(self) -> int | None:
        """Give the code with which it ended; None while it has not."""
        ended = self.state.get("terminated")
        return ended["exitCode"] if ended else None

    def recover(self, status: Object) -> None:
        """Go on from the status that a stand-in before this one left: what ran then was killed."""
        self.restart_count = status.get("restartCount", 0)
        self.last_state = status.get("lastState") or {}
        self.pulled = bool(status.get("imageID"))
        self.state = status.get("state") or dict(_STARTING)
        if self.is_running:
            self.end(_KILLED_WITH_ITS_NODE)

    def status(self) -> Object:
        """Give the entry of containerStatuses."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": image_id(self.image) if self.pulled else "",
            "containerID": self.container_id if self.pulled else "",
            "state": self.state,
            "lastState": self.last_state,
            "restartCount": self.restart_count,
            "ready": self.ready,
            "started": self.started,
        }
