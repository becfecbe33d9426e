"""P1 to P3: who works here, which APIs are on, what the login may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runbook.doctor.preflight.check import Answers, failed, ok
from runbook.doctor.preflight.reads import of_kubeconfig
from runbook.doctor.preflight.reservations import Reservation
from runbook.engine.errors import CredentialsError
from runbook.steps.auth.login import APIS
from runbook.steps.auth.reads import disabled_apis, enable_command, project_number
from runbook.steps.context import Context
from runbook.steps.storage.reads import bucket

ARTIFACT_REGISTRY = "artifactregistry.googleapis.com"
NO_PROJECT = "no project is set: nothing of Google Cloud is asked"

CLUSTER_PERMISSIONS = {
    "container.clusters.get": "roles/container.admin",
    "container.clusters.list": "roles/container.admin",
    "container.clusters.create": "roles/container.admin",
    "container.clusters.update": "roles/container.admin",
    "container.operations.get": "roles/container.admin",
    "container.operations.list": "roles/container.admin",
}
MACHINE_PERMISSIONS = {"compute.machineTypes.get": "roles/compute.viewer"}
RESERVATION_PERMISSIONS = {"compute.reservations.get": "roles/compute.viewer"}
BUCKET_PERMISSIONS = dict.fromkeys(
    (
        "storage.buckets.get",
        "storage.buckets.getIamPolicy",
        "storage.buckets.setIamPolicy",
        "storage.objects.create",
        "storage.objects.get",
        "storage.objects.list",
    ),
    "roles/storage.admin",
)
NEW_BUCKET_PERMISSIONS = BUCKET_PERMISSIONS | {"storage.buckets.create": "roles/storage.admin"}
"""What each thing that a run does asks for, and a predefined role that has it."""


def login(context: Context) -> Answers:
    """P1: a token, and the project's number."""
    project = context.variables.project
    if not project:
        yield ok(NO_PROJECT)
        return
    yield ok(f"{project} has the number {project_number(context)}")


def apis(context: Context) -> Answers:
    """P2: the APIs that a run calls."""
    project = context.variables.project
    if not project:
        yield ok(NO_PROJECT)
        return
    wanted = [*APIS, *_of_images(context)]
    disabled = disabled_apis(context, wanted)
    if disabled:
        yield failed(f"not enabled: {', '.join(disabled)}", " ".join(enable_command(disabled, project)))
        return
    yield ok(f"{len(wanted)} APIs are enabled")


def permissions(context: Context) -> Answers:
    """P3: what the login may do, in the project, for the reservation and on the bucket."""
    project = context.variables.project
    if not project:
        yield ok(NO_PROJECT)
        return
    asked = 0
    lacking: list[str] = []
    remedies: list[str] = []
    for where, wanted, found in _tested(context):
        asked += len(wanted)
        lacking += [f"{permission} on {where}" for permission in found]
        remedies += [f"{role} on {where}" for role in sorted({wanted[name] for name in found})]
    if lacking:
        yield failed(f"this login lacks {', '.join(lacking)}", f"ask for {', '.join(remedies)}")
        return
    yield ok(f"{asked} permissions are granted")


def _tested(context: Context) -> Sequence[tuple[str, Mapping[str, str], Sequence[str]]]:
    """Ask what is lacking: where, what was asked for with its roles, what is lacking of it."""
    variables, connections = context.variables, context.connections
    in_projects = {variables.project: {} if of_kubeconfig(context) else _of_cluster(context)}
    if variables.node_pool.capacity == "reservation" and not of_kubeconfig(context):
        owner = Reservation.of(variables.node_pool.reservation, variables.project).project
        in_projects[owner] = in_projects.get(owner, {}) | RESERVATION_PERMISSIONS
    result: list[tuple[str, Mapping[str, str], Sequence[str]]] = []
    if _bucket_is_there(context):
        name = variables.bucket.name
        lacking = connections.storage.lacking(name, list(BUCKET_PERMISSIONS))
        result.append((f"gs://{name}", BUCKET_PERMISSIONS, lacking))
    else:
        in_projects[variables.project] = in_projects[variables.project] | NEW_BUCKET_PERMISSIONS
    for project, wanted in in_projects.items():
        if wanted:
            found = connections.projects.lacking(project, list(wanted))
            result.append((f"project {project}", wanted, found))
    return result


def _of_cluster(context: Context) -> dict[str, str]:
    """Name what making and changing the cluster asks for."""
    if context.variables.cluster.mode == "autopilot":
        return CLUSTER_PERMISSIONS
    return CLUSTER_PERMISSIONS | MACHINE_PERMISSIONS


def _bucket_is_there(context: Context) -> bool:
    try:
        return bucket(context) is not None
    except CredentialsError:  # it is there, or somebody else's: the bucket itself tells what is lacking
        return True


def _of_images(context: Context) -> list[str]:
    images = (context.variables.server.image, context.variables.bench.image)
    hosts = [image.partition("/")[0] for image in images]
    return [ARTIFACT_REGISTRY] if any(host.endswith("-docker.pkg.dev") for host in hosts) else []
