"""Creating, changing and deleting objects: defaults, admission, validation, ownership, then the store."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from rehearsal.kube.api.apply import ApplyConflict, apply
from rehearsal.kube.api.decode import check_applied, check_names, decode, drop_system_fields
from rehearsal.kube.api.defaults import set_defaults
from rehearsal.kube.api.immutable import check_immutable
from rehearsal.kube.api.kinds import Kind, kind_of
from rehearsal.kube.api.managers import Manager, after_update, managers_of, write_managers
from rehearsal.kube.api.schema import type_of
from rehearsal.kube.api.service_defaults import allocate, keep_allocated
from rehearsal.kube.api.status import (
    ApiError,
    already_exists,
    conflict,
    forbidden,
    modified,
    not_found,
)
from rehearsal.kube.api.store import AlreadyExists, Conflict, Object, Store, clone, generate_name
from rehearsal.kube.api.typed import known_only
from rehearsal.kube.api.validation import validate
from rehearsal.kube.api.write import Write

Admission = Callable[[Kind, Object, str], Object]
Patch = Callable[[Object], Any]
_KEPT_NAMESPACES = {"default", "kube-system", "kube-public"}


class Registry:
    """The objects of one cluster as requests may change them.

    Args:
        admission: completes or refuses an object; gets the operation, CREATE or UPDATE.
    """

    def __init__(self, store: Store, admission: Admission) -> None:
        self.store = store
        self._admission = admission

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object:
        """Give one object.

        Raises:
            ApiError: 404.
        """
        found = self.store.get(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def create(self, kind: Kind, namespace: str | None, body: Any, write: Write) -> Object:
        """Create an object from what a client sent (POST)."""
        obj = decode(kind, body, write)
        check_names(namespace, None, obj["metadata"])
        drop_system_fields(obj)
        return self._create(kind, namespace, obj, write, [])

    def replace(self, kind: Kind, namespace: str | None, name: str, body: Any, write: Write) -> Object:
        """Replace an object (PUT), or its status."""
        live = self.get(kind, namespace, name)
        obj = decode(kind, body, write)
        check_names(namespace, name, obj["metadata"])
        return self._update(kind, live, obj, write, managers_of(obj) or managers_of(live))

    def patch(self, kind: Kind, namespace: str | None, name: str, patch: Patch, write: Write) -> Object:
        """Change an object by a function of its present state (PATCH, but not apply)."""
        live = self.get(kind, namespace, name)
        obj = decode(kind, patch(clone(live)), write, patched=True)
        check_names(namespace, name, obj["metadata"])
        base = managers_of(obj)
        if obj["metadata"].get("managedFields") == [{}]:
            base = []
        return self._update(kind, live, obj, write, base)

    def apply(
        self, kind: Kind, namespace: str | None, name: str, body: Any, write: Write
    ) -> tuple[Object, bool]:
        """Apply a configuration (server-side apply) and tell whether that created the object."""
        applied = check_applied(kind, namespace, name, body)
        live = self.store.get(kind, namespace, name)
        if live is None and write.subresource:
            raise not_found(kind, name)
        self._check_version(kind, live, applied)
        applier = Manager(write.manager, "Apply", kind.api_version, write.subresource)
        try:
            merged = apply(
                type_of(kind), live, applied, applier,
                ignored=_ignored(kind, write), force=write.force,
            )  # fmt: skip
        except ApplyConflict as error:
            details = {"causes": error.causes()}
            raise ApiError(409, "Conflict", str(error), details) from error
        merged = known_only(type_of(kind), merged)
        if live is None:
            return self._create(kind, namespace, merged, write, managers_of(merged)), True
        return self._update(kind, live, merged, write, None), False

    def delete(
        self, kind: Kind, namespace: str | None, name: str, options: Object, *, dry_run: bool = False
    ) -> tuple[Object, bool]:
        """Delete an object and tell whether it is gone.

        Args:
            options: a DeleteOptions object.
        """
        live = self.get(kind, namespace, name)
        _check_preconditions(kind, live, options.get("preconditions") or {})
        if kind.kind == "Namespace" and name in _KEPT_NAMESPACES:
            raise forbidden(kind, name, "this namespace may not be deleted")
        if dry_run:
            return live, True
        deleted = self.store.delete(
            kind,
            namespace,
            name,
            propagation=_propagation(kind, options),
            grace_period_seconds=options.get("gracePeriodSeconds"),
        )
        return deleted, self.store.get(kind, namespace, name) is None

    def _create(
        self, kind: Kind, namespace: str | None, obj: Object, write: Write, managers: list[Manager]
    ) -> Object:
        self._check_namespace(kind, namespace, obj)
        metadata = obj["metadata"]
        if namespace:
            metadata["namespace"] = namespace
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = generate_name(metadata["generateName"])
        metadata["uid"] = str(uuid.uuid4())
        if kind.status and kind.resource != "nodes":
            obj.pop("status", None)
        metadata.pop("managedFields", None)
        obj = self._complete(kind, None, obj, "CREATE")
        managers = managers or after_update(type_of(kind), {}, obj, self._writer(kind, write), [])
        write_managers(obj, managers, [])
        try:
            return self.store.create(kind, obj, dry_run=write.dry_run)
        except AlreadyExists as error:
            raise already_exists(kind, metadata["name"]) from error

    def _update(
        self, kind: Kind, live: Object, obj: Object, write: Write, base: list[Manager] | None
    ) -> Object:
        """Write a changed object.

        Args:
            base: who owned what before a plain write; None after an apply, which has told by itself.
        """
        self._check_version(kind, live, obj)
        if obj["metadata"].get("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
            raise _uid_conflict(kind, live, obj["metadata"]["uid"])
        managers = managers_of(obj)
        obj = _only_this_part(kind, live, obj, write)
        if not write.subresource:
            obj = self._complete(kind, live, obj, "UPDATE")
        if base is not None:
            managers = after_update(type_of(kind), live, obj, self._writer(kind, write), base)
        write_managers(obj, managers, managers_of(live))
        try:
            return self.store.update(kind, obj, dry_run=write.dry_run)
        except Conflict as error:
            raise modified(kind, obj["metadata"]["name"]) from error

    def _complete(self, kind: Kind, live: Object | None, obj: Object, operation: str) -> Object:
        set_defaults(kind, obj)
        if kind.resource == "services":
            keep_allocated(obj, live)
        obj = self._admission(kind, obj, operation)
        set_defaults(kind, obj)
        validate(kind, obj)
        if live is not None and kind.custom is None:
            check_immutable(kind, live, obj)
        if kind.resource == "services":
            own = obj["metadata"].get("uid")
            allocate(obj, [other for other in self.store.list(kind) if other["metadata"]["uid"] != own])
        return obj

    def _writer(self, kind: Kind, write: Write) -> Manager:
        return Manager(write.manager, "Update", kind.api_version, write.subresource)

    def _check_namespace(self, kind: Kind, namespace: str | None, obj: Object) -> None:
        if not kind.namespaced:
            return
        found = self.store.get(kind_of("Namespace"), None, namespace or "")
        if found is None:
            raise not_found(kind_of("Namespace"), namespace or "")
        if "deletionTimestamp" in found["metadata"]:
            detail = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind, obj["metadata"].get("name", ""), detail)

    def _check_version(self, kind: Kind, live: Object | None, obj: Object) -> None:
        version = obj["metadata"].get("resourceVersion")
        if version and (live is None or version != live["metadata"]["resourceVersion"]):
            raise modified(kind, obj["metadata"].get("name", ""))


def _ignored(kind: Kind, write: Write) -> tuple[str, ...]:
    if write.subresource == "status":
        return ("spec",)
    return ("status",) if kind.status else ()


def _only_this_part(kind: Kind, live: Object, obj: Object, write: Write) -> Object:
    """Keep the status from a plain write, and everything else from a write of the status."""
    if write.subresource == "status":
        part = clone(live)
        part["status"] = obj.get("status", {})
        return part
    if kind.status:
        obj.pop("status", None)
        if "status" in live:
            obj["status"] = clone(live["status"])
    for field in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace"):
        obj["metadata"].pop(field, None)
        if field in live["metadata"]:
            obj["metadata"][field] = live["metadata"][field]
    obj["metadata"]["name"] = live["metadata"]["name"]
    return obj


def _uid_conflict(kind: Kind, live: Object, uid: str) -> ApiError:
    found = live["metadata"]["uid"]
    detail = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {found}"
    return conflict(kind, live["metadata"]["name"], detail)


def _check_preconditions(kind: Kind, live: Object, preconditions: Object) -> None:
    metadata = live["metadata"]
    if preconditions.get("uid") not in {None, metadata["uid"]}:
        raise _uid_conflict(kind, live, preconditions["uid"])
    version = preconditions.get("resourceVersion")
    if version not in {None, metadata["resourceVersion"]}:
        detail = (
            f"Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object"
            f" meta: {metadata['resourceVersion']}"
        )
        raise conflict(kind, metadata["name"], detail)


def _propagation(kind: Kind, options: Object) -> str:
    if policy := options.get("propagationPolicy"):
        return str(policy)
    if options.get("orphanDependents") is not None:
        return "Orphan" if options["orphanDependents"] else "Background"
    return "Orphan" if kind.kind == "Job" else "Background"
