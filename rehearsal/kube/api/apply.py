"""Server-side apply: merge, ownership, conflicts, and removal of what a manager no longer applies."""

from __future__ import annotations

from dataclasses import replace

from rehearsal.kube.api.fieldset import NOBODYS, FieldSet, Path, fields_of, readable
from rehearsal.kube.api.managers import Manager, changed_fields, managers_of, write_managers
from rehearsal.kube.api.merge import merge, remove
from rehearsal.kube.api.schema import Type
from rehearsal.kube.api.store import Object


class ApplyConflict(Exception):  # noqa: N818 - the API's own reason
    """Fields that other managers own have another value than the one applied.

    Args:
        conflicts: each field with the manager that owns it.
    """

    def __init__(self, conflicts: list[tuple[Manager, Path]]) -> None:
        self.conflicts = conflicts
        super().__init__(_message(conflicts))

    def causes(self) -> list[dict[str, str]]:
        """Give one cause for each conflicting field, as a Status carries them."""
        return [
            {
                "reason": "FieldManagerConflict",
                "message": f"conflict with {manager.label()}",
                "field": readable(path),
            }
            for manager, path in self.conflicts
        ]


def _message(conflicts: list[tuple[Manager, Path]]) -> str:
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        return f"Apply failed with 1 conflict: conflict with {manager.label()}: {readable(path)}"
    lines = []
    for label in sorted({manager.label() for manager, _ in conflicts}):
        lines.append(f"conflicts with {label}:")
        lines += [f"- {readable(path)}" for manager, path in conflicts if manager.label() == label]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


def apply(
    described: Type,
    live: Object | None,
    applied: Object,
    applier: Manager,
    *,
    ignored: tuple[str, ...],
    force: bool,
) -> Object:
    """Lay an applied configuration over the live object and bring managedFields up to date.

    Args:
        live: None where the object is not there yet.
        applier: who applies; its fields are found here.
        ignored: top-level fields that this endpoint does not take (status, or all but status).
        force: take over fields that others own.

    Raises:
        ApplyConflict: others own fields that would change, and force was not asked for.
    """
    applied = {key: value for key, value in applied.items() if key not in ignored}
    before = managers_of(live)
    base = live or {key: applied[key] for key in ("apiVersion", "kind")}
    own = next((manager.fields for manager in before if manager.same(applier)), frozenset[Path]())
    others = [manager for manager in before if not manager.same(applier)]
    fields = fields_of(described, applied)

    merged: Object = merge(described, base, applied)
    owned = fields.union(*(manager.fields for manager in others))
    for path in _orphaned(own, owned):
        remove(described, merged, path)
    touched, gone = changed_fields(described, base, merged)
    conflicts = [(manager, path) for manager in others for path in sorted(manager.fields & touched)]
    if conflicts and not force:
        raise ApplyConflict(conflicts)
    others = [replace(manager, fields=manager.fields - touched - gone) for manager in others]
    write_managers(merged, [replace(applier, fields=fields), *others], before)
    return merged


def _orphaned(before: FieldSet, owned: FieldSet) -> list[Path]:
    """Find what nobody owns any more, from the top: a parent goes when nothing below it has an owner."""
    kept = NOBODYS.union(path[:length] for path in owned for length in range(1, len(path) + 1))
    orphaned: set[Path] = set()
    for path in before - owned:
        for length in range(1, len(path) + 1):
            part = path[:length]
            if part not in kept and (part in before or part[-1].startswith("f:")):
                orphaned.add(part)
                break
    return sorted(orphaned)
