"""What several steps want to know of the project."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.steps.context import Context


def project_number(context: Context) -> str:
    """Read the project's number, once for all steps."""
    project = context.variables.project
    return context.facts.read(
        ("project", project, "number"), lambda: context.connections.projects.number(project)
    )


def project_number_command(project: str) -> list[str]:
    """Write the command that prints a project's number."""
    return ["gcloud", "projects", "describe", project, "--format=value(projectNumber)"]


def disabled_apis(context: Context, apis: Sequence[str]) -> list[str]:
    """Read which of some APIs are not enabled in the project.

    Args:
        apis: names such as container.googleapis.com.
    """
    project = context.variables.project
    return context.facts.read(
        ("project", project, "disabled apis", *apis),
        lambda: context.connections.projects.disabled(project, apis),
    )


def enable_command(apis: Sequence[str], project: str) -> list[str]:
    """Write the command that enables APIs in a project."""
    return ["gcloud", "services", "enable", *apis, f"--project={project}"]
