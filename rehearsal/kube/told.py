"""What a scenario tells containers and volumes to do, where no state of the stand-in would make them do it.

The runtime of a TPU, a sidecar without memory or a token service that is asked too often are not played
here. Their words are: a container that is told something prints it, runs no program, and ends as told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rehearsal.documents import Database

COLLECTION = "told"
_MOUNT = "mount"
_LINGERING = "lingering"


@dataclass(frozen=True)
class ToldRun:
    """What every run of a container of some name does.

    Args:
        container: its name.
        log: what it prints.
        exit_code: how it ends after that; None: it goes on without doing anything.
        reason: of its end, such as OOMKilled; empty: the usual one.
        not_created: what the container runtime says instead of creating it, one by one; the last stays.
    """

    container: str
    log: str = ""
    exit_code: int | None = None
    reason: str = ""
    not_created: list[str] = field(default_factory=list)


class Told:
    """All that was told; it outlives the process.

    Args:
        database: where it is kept.
    """

    def __init__(self, database: Database) -> None:
        self._documents = database.collection(COLLECTION)

    def tell(self, document: Mapping[str, Any]) -> None:
        """Take over what containers and mounts do from now on.

        Args:
            document: `containers`, a list of ToldRun's fields; `mount`, how every CSI mount fails; and
                `lingering`, names of containers that stay when they are to end, as one does that waits for a
                mount that died.

        Raises:
            TypeError: a field is unknown.
        """
        for entry in document.get("containers", []):
            told = ToldRun(**entry)
            self._documents[f"container/{told.container}"] = asdict(told)
        if "mount" in document:
            self._documents[_MOUNT] = {"cause": str(document["mount"])}
        if "lingering" in document:
            self._documents[_LINGERING] = {"containers": list(document["lingering"])}

    def run_of(self, container: str) -> ToldRun | None:
        """Say what a container does instead of its program, if anything."""
        found = self._documents.get(f"container/{container}")
        return ToldRun(**found) if found else None

    @property
    def mount(self) -> str:
        """Say why a CSI volume cannot be mounted; empty where nothing was told."""
        return str(self._documents.get(_MOUNT, {"cause": ""})["cause"])

    def lingers(self, container: str) -> bool:
        """Tell whether a container of some name stays when it is to end."""
        return container in self._documents.get(_LINGERING, {"containers": []})["containers"]

    def forget(self) -> None:
        """Let everything run as it is."""
        self._documents.clear()
