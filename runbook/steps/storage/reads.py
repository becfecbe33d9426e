"""What several steps want to know of the bucket; each fact is read once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runbook.engine.change import FactKey
from runbook.engine.errors import MissingError
from runbook.steps.context import Context

if TYPE_CHECKING:
    from runbook.clients.storage import Bucket, StoredObject


def bucket_key(context: Context) -> FactKey:
    """Name the fact of this environment's bucket; what is known of it has keys below."""
    return ("storage", "bucket", context.variables.bucket.name)


def objects_key(context: Context) -> FactKey:
    """Name the fact of the objects in the model's folder."""
    return (*bucket_key(context), "objects", context.variables.checkpoint.folder)


def members_key(context: Context) -> FactKey:
    """Name the fact of who has which role on the bucket."""
    return (*bucket_key(context), "members")


def folders_key(context: Context) -> FactKey:
    """Name the fact of the bucket's real folders."""
    return (*bucket_key(context), "folders")


def bucket(context: Context) -> Bucket | None:
    """Read the bucket; None where there is none."""
    name = context.variables.bucket.name
    return context.facts.read(bucket_key(context), lambda: context.connections.storage.bucket(name))


def require_bucket(context: Context) -> Bucket:
    """Read the bucket, which must be there.

    Raises:
        MissingError: it is not.
    """
    found = bucket(context)
    if found is None:
        raise _no_bucket(context)
    return found


def objects(context: Context) -> Sequence[StoredObject]:
    """List what is in the model's folder.

    Raises:
        MissingError: the bucket is not there.
    """
    if context.facts.planned_by(bucket_key(context)):
        require_bucket(context)
    return context.facts.read(objects_key(context), lambda: _listed(context))


def _listed(context: Context) -> Sequence[StoredObject]:
    """List the folder; the listing tells by itself where there is no bucket."""
    name, folder = context.variables.bucket.name, context.variables.checkpoint.folder
    try:
        return context.connections.storage.objects(name, f"{folder}/")
    except MissingError as error:
        raise _no_bucket(context) from error


def _no_bucket(context: Context) -> MissingError:
    name = context.variables.bucket.name
    return MissingError(f"bucket {name} is not there", supplied_by="storage.bucket")


def members(context: Context) -> frozenset[tuple[str, str]]:
    """Read who has which role on the bucket: pairs of role and member.

    Raises:
        MissingError: the bucket is not there.
    """
    name = require_bucket(context).name
    return context.facts.read(members_key(context), lambda: context.connections.storage.members(name))


def folders(context: Context) -> Sequence[str]:
    """List the bucket's real folders, each with a slash at its end.

    Raises:
        MissingError: the bucket is not there.
    """
    name = require_bucket(context).name
    return context.facts.read(folders_key(context), lambda: context.connections.storage.folders(name))
