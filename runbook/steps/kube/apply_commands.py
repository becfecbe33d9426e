"""The kubectl commands of 4.3, as a person would type them."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.shell import SHELL, shell_text
from runbook.steps.context import Context
from runbook.steps.kube.cluster import kubectl, shown
from runbook.steps.kube.workload import API_KEY_FIELD, manifest_path


def apply_command(context: Context, template: str, *, force: bool) -> list[str]:
    """Write the command that applies what a template renders to."""
    return applied_from(context, shown(manifest_path(context, template)), force=force)


def secret_command(context: Context, secret: Object, *, force: bool) -> list[str]:
    """Write the commands that make the Secret's object of their input, label it, and apply it."""
    metadata, source = secret["metadata"], f"--from-file={API_KEY_FIELD}=/dev/stdin"
    namespace = f"--namespace={metadata['namespace']}"
    said = [f"{label}={value}" for label, value in metadata["labels"].items()]
    made = ["kubectl", "create", "secret", "generic", metadata["name"], source, namespace, "--dry-run=client"]
    labelled = ["kubectl", "label", "--local", *said, "--filename=-", "--output=yaml"]
    steps = [[*made, "--output=yaml"], labelled, applied_from(context, "-", force=force)]
    return [*SHELL, " |\n".join(shell_text(step) for step in steps)]


def applied_from(context: Context, source: str, *, force: bool) -> list[str]:
    """Write the command that applies a file, or with `-` its input."""
    manager = f"--field-manager={context.variables.kube.field_manager}"
    owner = [manager, *(["--force-conflicts"] if force else [])]
    return kubectl(context, "apply", "--server-side", *owner, "-f", source)


def command_of(context: Context, reference: Reference, verb: Sequence[str], *flags: str) -> list[str]:
    """Write a command about one object of a namespace."""
    return kubectl(context, *verb, reference.short, *flags, f"--namespace={reference.namespace}")
