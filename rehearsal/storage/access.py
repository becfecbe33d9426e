"""What a bucket's IAM policy lets somebody do who is not the operator, and the refusal of the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rehearsal.principals import Principal
from rehearsal.storage.catalogue import Catalogue
from rehearsal.storage.errors import StorageError
from rehearsal.storage.iam import allows_any

_CREATE = "storage.objects.create"
_DELETE = "storage.objects.delete"


@dataclass(frozen=True)
class Demand:
    """A permission that a request needs.

    Args:
        permission: such as `storage.objects.get`.
        bucket: on which it is needed; empty: on the project.
        created: the object that the request makes, where it makes one.
    """

    permission: str
    bucket: str = ""
    created: str = ""


class Access:
    """Judges by the policies of buckets. Those of projects are not played: they give nobody anything.

    Args:
        catalogue: where the policies and objects are kept.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def check(self, principal: Principal | None, demands: Iterable[Demand]) -> None:
        """Let a request pass, or refuse it.

        Args:
            principal: who asks; None: the operator, or somebody without a token, who may do everything.

        Raises:
            StorageError: 403 for the first permission that is missing; 404 where there is no such bucket.
        """
        if principal is None:
            return
        for demand in demands:
            self._check(principal, demand.permission, demand.bucket)
            if demand.permission == _CREATE and self._replaces(demand):
                self._check(principal, _DELETE, demand.bucket)

    def _check(self, principal: Principal, permission: str, bucket: str) -> None:
        if bucket:
            self._catalogue.bucket(bucket)
        policy = self._catalogue.policies.get(bucket)
        if policy is not None and allows_any(policy, principal.members, permission):
            return
        message = (
            f"{principal.name} does not have {permission} access to the Google Cloud"
            f" {_resource(permission) if bucket else 'project'}."
            f" Permission '{permission}' denied on resource (or it may not exist)."
        )
        raise StorageError(403, "forbidden", message)

    def _replaces(self, demand: Demand) -> bool:
        return demand.created in self._catalogue.objects(demand.bucket)


def _resource(permission: str) -> str:
    """Name what a permission is about, as refusals do; objects are listed in their bucket."""
    about_an_object = permission.startswith("storage.objects.") and not permission.endswith(".list")
    return "Storage object" if about_an_object else "Storage bucket"
