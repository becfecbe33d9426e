"""A manifest rendered without asking the cloud: to look at, and to find what is wrong with it in time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runbook.config.schema import Variables
from runbook.engine.errors import ManifestError, Place
from runbook.steps.context import Context
from runbook.steps.kube.templates import parse, render
from runbook.steps.kube.workload import Manifest, template_values

CONTENT: Final = "computed-by-4.3"
"""Stands for the hash of the model's files, which only the bucket can tell."""


def draft(
    folder: Path, template: str, variables: Variables, tree: Mapping[str, Any], environment: str, run_id: str
) -> Manifest:
    """Render a template with the variables alone.

    Args:
        folder: manifests/.
        template: its file name.
        tree: the variables as plain nested values.
        run_id: ends the benchmark Job's name.

    Raises:
        ManifestError: the template, or what it renders to, is wrong.
    """
    path = folder / template
    if not path.is_file():
        raise ManifestError(f"there is no manifest template {template}", place=Place.in_file(path))
    values = template_values(
        template, variables, tree, environment=environment, run_id=run_id, content=CONTENT
    )
    text = render(path, values)
    return Manifest(path, text, tuple(parse(text, path)))


def validate_template(context: Context, template: str) -> None:
    """Find what is wrong with a template before the line's first step begins.

    Raises:
        ManifestError: the template, or what it renders to, is wrong.
    """
    drafted(context, template)


def drafted(context: Context, template: str) -> Manifest:
    """Render a template of manifests/ for this environment, without asking the cloud; once for all steps.

    Raises:
        ManifestError: the template, or what it renders to, is wrong.
    """
    return context.facts.read(("draft", template), lambda: _drafted(context, template))


def _drafted(context: Context, template: str) -> Manifest:
    return draft(
        context.root / "manifests",
        template,
        context.variables,
        context.tree,
        context.environment,
        context.run_id,
    )
