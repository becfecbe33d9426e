"""Somebody is logged in, reaches the project, and its APIs are enabled.

Section 1 of the guide. Nothing is changed: both the login and the choice of APIs are the operator's.
"""

from __future__ import annotations

from runbook.engine.change import Skip, StepResult
from runbook.engine.errors import RefusedError
from runbook.engine.manual import Manual
from runbook.steps.auth.reads import (
    disabled_apis,
    enable_command,
    project_number,
    project_number_command,
)
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
    disabled = disabled_apis(context, APIS)
    if disabled:
        raise RefusedError(
            f"not enabled in project {project}: {', '.join(disabled)}",
            remedy=" ".join(enable_command(disabled, project)),
        )
    return f"project {project} ({number}), {len(APIS)} APIs enabled"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to log in, and to enable the APIs, by hand."""
    project = context.variables.project
    if not project:
        return Manual(note="Nothing is done here: no project is set.")
    listed = ("gcloud", "services", "list", "--enabled", f"--project={project}")
    check = [project_number_command(project), [*listed, "--format=value(config.name)"]]
    if context.variables.provider == "rehearsal":
        return Manual(check=check, note="The rehearsal has its own login, and all of its APIs are enabled.")
    return Manual(
        commands=[["gcloud", "auth", "login"], enable_command(APIS, project)],
        check=check,
        undo=[["gcloud", "auth", "revoke"]],
        note="An API that is enabled costs nothing and may stay so.",
    )
