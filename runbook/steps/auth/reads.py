"""What several steps want to know of the project."""

from __future__ import annotations

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
