"""Somebody is logged in, reaches the project, and its APIs are enabled.

Section 1 of the guide. Nothing is changed: both the login and the choice of APIs are the operator's.
"""

from __future__ import annotations

from runbook.engine.change import Skip, StepResult
from runbook.engine.errors import RefusedError
from runbook.steps.auth.reads import project_number
from runbook.steps.context import Context, StepArguments

APIS = tuple(
    f"{name}.googleapis.com"
    for name in ("container", "compute", "storage", "iam", "cloudresourcemanager", "serviceusage")
)


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Look at the login, the project and its APIs.

    Raises:
        CredentialsError: nobody is logged in, or may not see the project.
        RefusedError: an API is off.
    """
    yield from ()  # a step is a generator, also one that changes nothing
    project = context.variables.project
    if not project:
        return Skip("no project is set")
    number = project_number(context)
    disabled = context.facts.read(
        ("project", project, "disabled apis"), lambda: context.connections.projects.disabled(project, APIS)
    )
    if disabled:
        raise RefusedError(
            f"not enabled in project {project}: {', '.join(disabled)}",
            remedy=f"gcloud services enable {' '.join(disabled)} --project={project}",
        )
    return f"project {project} ({number}), {len(APIS)} APIs enabled"
