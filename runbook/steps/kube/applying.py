"""One object, applied: compared with the cluster's, made, changed, or deleted and made anew."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from runbook.clients.kube.failures import AbsentError, FieldConflictError, ImmutableFieldError
from runbook.clients.kube.objects import Object, Reference, is_terminating
from runbook.engine.change import UNKNOWN, Action, Change, Difference, FactKey, StepResult
from runbook.steps.context import Context
from runbook.steps.kube import ownership, removal, replacement, rollout
from runbook.steps.kube.apply_commands import apply_command, secret_command
from runbook.steps.kube.apply_set import ApplySet
from runbook.steps.kube.cluster import client, is_planned, live, object_key
from runbook.steps.kube.difference import creation, differences
from runbook.steps.kube.mistakes import located
from runbook.steps.kube.server import answering_key
from runbook.steps.kube.workload import Manifest


@dataclass(frozen=True)
class Applying:
    """Applies the objects of one manifest.

    Args:
        context: of the step.
        manifest: what the objects come from.
        apply_set: what they are members of.
    """

    context: Context
    manifest: Manifest
    apply_set: ApplySet

    def applied(self, wanted: Object) -> StepResult:
        """Make an object as it should be.

        Raises:
            ConflictError: it, or one of its fields, belongs to somebody else.
            ManifestError: the API server cannot take it.
        """
        context, reference = self.context, Reference.to(wanted)
        yield from self._awaited(reference)
        present = live(context, reference)
        if present is None or is_terminating(present):
            self._looked_at(wanted, present)
            yield self._creation(wanted)
            return ""
        ownership.require_ours(present, self.apply_set, force=context.variables.kube.force)
        wanted = ownership.shared(wanted, present, self.apply_set.labels)
        if ownership.is_applied(present, wanted, context.variables.kube.field_manager):
            return ""
        try:
            future, taken_from = self._future(wanted, present)
        except ImmutableFieldError as refusal:
            yield from replacement.removed(context, present, wanted, refusal, self.manifest.objects)
            yield self._creation(wanted)
            return ""
        found = differences(present, future)
        if found:
            rollout.keep_mark(context, present)
            yield self._change(wanted, found, future, taken_from)
        return ""

    def _awaited(self, reference: Reference) -> StepResult:
        if is_terminating(live(self.context, reference)):
            yield Action(
                f"{reference} is being deleted",
                lambda: removal.wait_until_gone(self.context, [reference]),
                refreshes=[object_key(reference)],
            )
        return ""

    def _creation(self, wanted: Object) -> Change:
        return self._change(wanted, [creation(wanted)], wanted)

    def _looked_at(self, wanted: Object, present: Object | None) -> None:
        """Have the API server look, in a check, at what a run would make; as far as there is one to look."""
        if not self.context.check or is_planned(self.context) or present is not None:
            return
        with suppress(AbsentError):  # its namespace would be made before it
            self._apply(wanted, force=False, dry_run=True)

    def _future(self, wanted: Object, present: Object) -> tuple[Object, str]:
        """Ask what an apply would make, and from whom it would take back what was edited by hand."""
        settings = self.context.variables.kube
        ask = partial(client(self.context).apply, wanted, field_manager=settings.field_manager, dry_run=True)
        with located(self.manifest, wanted):
            try:
                return ask(force=settings.force), ""
            except FieldConflictError as conflict:
                if not ownership.is_drift(present, settings.field_manager, conflict.managers):
                    raise
                return ask(force=True), ", ".join(sorted(conflict.managers))

    def _change(
        self, wanted: Object, found: list[Difference], future: Object, taken_from: str = ""
    ) -> Change:
        force = self.context.variables.kube.force or bool(taken_from)
        planned: dict[FactKey, Any] = {
            object_key(Reference.to(wanted)): future,
            answering_key(self.context): UNKNOWN,
        }
        return Change(
            found,
            self._command(wanted, force=force),
            lambda: self._apply(wanted, force=force),
            planned,
            warning=f"{taken_from} changed this; it is taken back" if taken_from else None,
        )

    def _apply(self, wanted: Object, *, force: bool, dry_run: bool = False) -> None:
        manager = self.context.variables.kube.field_manager
        with located(self.manifest, wanted):
            client(self.context).apply(wanted, field_manager=manager, force=force, dry_run=dry_run)

    def _command(self, wanted: Object, *, force: bool) -> list[str]:
        if wanted["kind"] == "Secret":
            return secret_command(self.context, wanted, force=force)
        return apply_command(self.context, self.manifest.template.name, force=force)
