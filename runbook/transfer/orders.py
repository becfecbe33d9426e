"""What another machine is told to move, as one JSON document. It holds secrets: it is never put into argv."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from runbook.transfer.files import Consignment, Delivery, HubFile

TOKEN = "HF_TOKEN"  # noqa: S105 - a name
"""The environment variable that has the hub's token where the document has none."""


@dataclass(frozen=True)
class Orders:
    """A consignment, and how its sessions come about.

    Args:
        consignment: what is to be moved.
        sessions: addresses of upload sessions by the objects' names, opened by who gives the orders; empty
            where the machine opens them itself.
        storage: base address of Cloud Storage, for who opens sessions.
    """

    consignment: Consignment
    sessions: Mapping[str, str]
    storage: str

    def text(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Orders:
        """Read what `text` wrote; the hub's token may be in the environment instead."""
        found = json.loads(text)
        order = found["consignment"]
        order["token"] = order["token"] or os.environ.get(TOKEN)
        deliveries = [_delivery(item) for item in order.pop("deliveries")]
        return cls(Consignment(**order, deliveries=deliveries), found["sessions"], found["storage"])


def _delivery(item: Mapping[str, Any]) -> Delivery:
    return Delivery(HubFile(**item["file"]), item["name"], item["metadata"], item["generation"])
