"""A benchmark runs in the cluster: this run's Job, or one that an earlier run left running.

Section 5.1 of the guide, as a Job instead of a Pod: a Pod would be restarted for ever (D28) and could not
be changed (D30). It runs on a CPU node (D29) with the server's own image (D25), by its digest where a Pod
tells it, and waits for the server (D31). What would spoil it is looked for before.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from pydantic import Field

from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.service import is_ready
from runbook.config.schema import Bench
from runbook.engine.bill import Bill
from runbook.engine.change import UNKNOWN, Action, Change, FactKey, StepResult
from runbook.engine.errors import ManifestError, MissingError, Place
from runbook.engine.kept import keep
from runbook.engine.manual import Manual
from runbook.steps.bench.jobs import JOBS, ended, jobs
from runbook.steps.bench.joining import require_same
from runbook.steps.bench.preflight import examine_folder, examine_server
from runbook.steps.bench.served import not_deployed
from runbook.steps.bench.witness import image_digest, look, noted, repository, server_pods
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.bills import cluster_bills
from runbook.steps.kube import rollout
from runbook.steps.kube.cluster import client, is_planned, kubectl, object_key, shown
from runbook.steps.kube.difference import creation
from runbook.steps.kube.drafts import validate_template
from runbook.steps.kube.server import deployment, require_deployment
from runbook.steps.kube.workload import Manifest, keep_applied, manifest, manifest_path

_TOLD: Final[FactKey] = ("bench", "what is not deployed")
"""It is told once, not for each round, and each load of a sweep."""


class Arguments(StepArguments):
    """What `with:` may say."""

    template: str = Field(description="file of manifests/, such as vllm-benchmark.yaml.j2")


def validate(arguments: Arguments, context: Context) -> None:
    """Render the template before the line begins, so that a mistake in it costs nothing."""
    validate_template(context, arguments.template)


def run(arguments: Arguments, context: Context) -> StepResult:
    """Create this run's Job, unless one runs already.

    Raises:
        MissingError: there is no server that answers.
        ConflictError: a benchmark with other settings is running.
    """
    found = _require_server(context)
    context.facts.read(_TOLD, lambda: _tell_not_deployed(context, found))
    rendered = manifest(context, arguments.template, client_image=_client_image(context))
    wanted = _job(rendered)
    reference = Reference.to(wanted)
    for job in jobs(context):
        if job["metadata"]["name"] == reference.name:
            return f"{reference} is there"
        if not ended(job):
            require_same(context, job, wanted)
            return f"joined job/{job['metadata']['name']}, which is running"
    examine_folder(context)
    yield Action("preflight of the benchmark", partial(examine_server, context))
    yield Change(
        [creation(wanted)],
        _command(arguments, context),
        partial(_create, context, arguments, rendered),
        {object_key(reference): wanted, JOBS: UNKNOWN},
    )
    return f"{reference} runs {_in_words(context.variables.bench)}"


def bills(arguments: Arguments, context: Context) -> Sequence[Bill]:  # noqa: ARG001 - every step takes its arguments
    """Name what goes on costing: the cluster under the workload."""
    return cluster_bills(context)


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to start a benchmark by hand."""
    path = manifest_path(context, arguments.template)
    return Manual(
        commands=[["inv", "render", "--to", shown(path.parent)], _command(arguments, context)],
        check=[kubectl(context, "get", "-f", shown(path))],
        undo=[kubectl(context, "delete", "-f", shown(path), "--cascade=foreground")],
        note="Each rendering names another Job, as none can be changed. Let one end before the next begins.",
    )


def _command(arguments: Arguments, context: Context) -> list[str]:
    settings = context.variables.kube
    manager = [
        f"--field-manager={settings.field_manager}",
        *(["--force-conflicts"] if settings.force else []),
    ]
    path = shown(manifest_path(context, arguments.template))
    return kubectl(context, "apply", "--server-side", *manager, "-f", path)


def _require_server(context: Context) -> Object:
    found = require_deployment(context)
    planned = "status" not in found
    if not planned and not rollout.available(found):
        raise MissingError(f"{deployment(context)} has no Pod that is ready", supplied_by="kube.apply")
    return found


def _tell_not_deployed(context: Context, found: Object) -> None:
    """Warn where the server was deployed with other variables than these."""
    differing = list(not_deployed(context.variables, found))
    if differing:
        context.report.warning(
            f"{deployment(context)} is measured as it serves, not as the variables say: "
            f"{'; '.join(differing)} (`inv deploy` applies them)"
        )


def _in_words(bench: Bench) -> str:
    at_once = f", {bench.max_concurrency} at once" if bench.max_concurrency else ""
    return (
        f"the workload {bench.workload}: {bench.num_prompts} {bench.dataset} prompts of {bench.input_len} "
        f"tokens{at_once}, answers of {bench.output_len}"
    )


def _client_image(context: Context) -> str:
    """Name the client's image: the very one that serves, by its digest, where both have one name."""
    variables = context.variables
    image: str = variables.bench.image
    if image != variables.server.image or "@" in image or is_planned(context):
        return image
    pods = [pod for pod in server_pods(context) if is_ready(pod)]
    digest = image_digest(pods)
    runs = {container["image"] for pod in pods for container in pod["spec"]["containers"]}
    return f"{repository(image)}@{digest}" if digest and image in runs else image


def _job(rendered: Manifest) -> Object:
    found = [item for item in rendered.objects if item["kind"] == "Job"]
    if len(found) != 1:
        raise ManifestError("it must hold one Job", place=Place.in_file(rendered.template))
    return found[0]


def _create(context: Context, arguments: Arguments, rendered: Manifest) -> None:
    keep(manifest_path(context, arguments.template), rendered.text)
    keep_applied(context, rendered)
    settings = context.variables.kube
    before = look(context)
    for wanted in rendered.objects:
        client(context).apply(
            noted(wanted, before), field_manager=settings.field_manager, force=settings.force
        )
