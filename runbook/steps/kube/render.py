"""The manifest lies rendered in .runs/, exactly as 4.3 applies it.

Section 4.2 of the guide. A template of manifests/ is Jinja over the variables (`inv vars`) and a few
computed values: `environment`, `names`, `paths`, `model_content` and `client_image`. An undefined name, or
a placeholder that is left over, is an error.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from runbook.engine.change import Change, Difference, FactKey, StepResult
from runbook.engine.kept import keep
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.kube.cluster import kubectl, shown
from runbook.steps.kube.drafts import validate_template
from runbook.steps.kube.workload import manifest, manifest_path


class Arguments(StepArguments):
    """What `with:` may say."""

    template: str = Field(description="file of manifests/, such as vllm-tpu.yaml.j2")
    to: str = Field(description="name of the rendered file in .runs/ENVIRONMENT/")


def validate(arguments: Arguments, context: Context) -> None:
    """Render the template before the line begins, so that a mistake in it costs nothing."""
    validate_template(context, arguments.template)


def run(arguments: Arguments, context: Context) -> StepResult:
    """Compare the file with what the template gives now."""
    path = manifest_path(context, arguments.to)
    wanted = manifest(context, arguments.template).text
    key: FactKey = ("file", str(path))
    present = context.facts.read(key, lambda: _text(path))
    if present != wanted:
        yield Change(
            [Difference(shown(path), present, wanted)],
            [],
            lambda: keep(path, wanted),
            {key: wanted},
        )
    return f"{shown(path)} is as the variables say"


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to render the manifest by hand."""
    path = manifest_path(context, arguments.to)
    manager = f"--field-manager={context.variables.kube.field_manager}"
    return Manual(
        commands=[["inv", "render", "--to", shown(path.parent)]],
        check=[kubectl(context, "diff", "--server-side", manager, "-f", shown(path))],
        undo=[["rm", shown(path)]],
        note="It renders every manifest without asking the cloud. Only the step knows the hash of the model "
        "files, by which Pods start anew when the model has changed. kubectl diff ends with 1 where there is "
        "something to apply.",
    )


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
