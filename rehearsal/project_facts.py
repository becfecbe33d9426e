"""What the operator tells the stand-in of its projects: what is off, forbidden, reserved and granted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rehearsal.documents import Collection

KEY = "facts"


@dataclass(frozen=True)
class Reservation:
    """Machines that are set aside.

    Args:
        zone: where they are.
        count: how many.
        in_use: how many somebody else uses.
        machine_type: what they are.
        status: the API's status: READY, CREATING, DELETING, UPDATING or INVALID.
        vm_family: makes it an aggregate reservation, whose count and in_use are chips, such as
            VM_FAMILY_CLOUD_TPU_POD_SLICE_TPU7X; empty: it is one of machines.
        specific: whether only who names the reservation gets a machine of it.
        missing: whether there is no such reservation.
    """

    zone: str = ""
    count: int = 16
    in_use: int = 0
    machine_type: str = "tpu7x-standard-4t"
    status: str = "READY"
    vm_family: str = ""
    specific: bool = True
    missing: bool = False


@dataclass(frozen=True)
class ProjectFacts:
    """All that the operator may tell; the same for every project of the stand-in.

    Args:
        disabled_services: APIs that are off, such as compute.googleapis.com.
        denied_permissions: what the operator's login may not do, such as container.clusters.update.
        reservations: by name; one that is not told of is there, in every zone, with unused machines.
        quotas: TPU chips by quota id; one that is not told of is DEFAULT_QUOTAS'.
        regions_without_nat: where no network has a Cloud NAT; elsewhere each has one.
    """

    disabled_services: tuple[str, ...] = ()
    denied_permissions: tuple[str, ...] = ()
    reservations: Mapping[str, Reservation] = field(default_factory=dict)
    quotas: Mapping[str, int] = field(default_factory=dict)
    regions_without_nat: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> ProjectFacts:
        """Read facts from JSON.

        Raises:
            ValueError: a field is unknown, or has a wrong type.
        """
        given = _known(cls, document)
        for name in ("disabled_services", "denied_permissions", "regions_without_nat"):
            if name in given:
                given[name] = _names(name, given[name])
        if "quotas" in given:
            given["quotas"] = {name: _whole(name, value) for name, value in given["quotas"].items()}
        if "reservations" in given:
            given["reservations"] = {
                name: _reservation(value) for name, value in given["reservations"].items()
            }
        return cls(**given)


class ToldFacts:
    """The facts as they are now; they outlive the process.

    Args:
        documents: where they are kept.
    """

    def __init__(self, documents: Collection) -> None:
        self._documents = documents
        self.now = ProjectFacts.from_document(documents.get(KEY, {}))

    def change(self, document: Mapping[str, Any]) -> ProjectFacts:
        """Replace the fields that are given.

        Raises:
            ValueError: a field is unknown, or has a wrong type.
        """
        facts = ProjectFacts.from_document(self.document() | dict(document))
        self.now = facts
        self._documents[KEY] = self.document()
        return facts

    def clear(self) -> None:
        """Forget all that was told."""
        self.now = ProjectFacts()
        self._documents.clear()

    def document(self) -> dict[str, Any]:
        """Write the facts as JSON."""
        return asdict(self.now)


def _reservation(value: Any) -> Reservation:
    if not isinstance(value, dict):
        raise ValueError(f"a reservation is {value!r}: it must be an object")
    given = _known(Reservation, value)
    for name, item in given.items():
        wanted = type(getattr(Reservation, name))
        if type(item) is not wanted:
            raise ValueError(f"a reservation's {name} is {item!r}: it must be of type {wanted.__name__}")
    return Reservation(**given)


def _known(kind: type, document: Mapping[str, Any]) -> dict[str, Any]:
    fields = {item.name for item in dataclasses.fields(kind)}
    for name in document:
        if name not in fields:
            raise ValueError(f"there is no field {name!r}: there are {', '.join(sorted(fields))}")
    return dict(document)


def _names(field_name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{field_name} is {value!r}: it must be a list of names")
    return tuple(value)


def _whole(name: str, value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"quota {name} is {value!r}: it must be a whole number")
    return value
