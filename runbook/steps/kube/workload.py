"""What deploy and bench are made of: the values and names that the templates get, and the rendered objects.

Beside the variables a template may use:
`environment`, `names.volume`, `names.claim` (with a hash of all that cannot be changed in a mounted volume),
`names.api_key`, `names.job`, `names.apply_set` (the label of what 4.3 deletes when it is no longer rendered),
`paths.mount` (where the guide mounts), `paths.volume` (where the volume is mounted: the model's folder below
that when only it is), `model_content` (a hash of the model's files), `autopilot_nodes` (labels by which Pods
ask an Autopilot cluster for their nodes; else none).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from runbook.clients.kube.objects import Object
from runbook.config.schema import Variables
from runbook.config.secret import Secret
from runbook.engine.change import FactKey
from runbook.engine.errors import ManifestError, Place
from runbook.engine.kept import MANIFESTS, keep
from runbook.steps.context import Context
from runbook.steps.kube.apply_set import PART_OF, ApplySet, set_name
from runbook.steps.kube.autopilot import node_labels
from runbook.steps.kube.content import content_hash
from runbook.steps.kube.templates import parse, render

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
COMPONENT: Final = "app.kubernetes.io/component"
ENVIRONMENT: Final = "runbook/environment"
API_KEY_FIELD: Final = "api-key"
_HASH_ROUNDS: Final = 100_000


@dataclass(frozen=True)
class Manifest:
    """A rendered template.

    Args:
        template: the file it comes from.
        text: YAML, as it is written and applied.
        objects: the same, parsed.
    """

    template: Path
    text: str
    objects: tuple[Object, ...]


def manifest(context: Context, template: str, *, client_image: str = "") -> Manifest:
    """Render a template of manifests/ with the variables and the names; once for all steps of the line.

    Args:
        template: its file name.
        client_image: of the benchmark, by its digest; empty: bench.image.

    Raises:
        ManifestError: the template, or what it renders to, is wrong.
    """
    key: FactKey = ("manifest", template, content_hash(context), context.measurement_id, client_image)
    return context.facts.read(key, lambda: _manifest(context, template, client_image))


def manifest_path(context: Context, name: str) -> Path:
    """Find the file that a template is rendered to.

    Args:
        name: of the file, or of the template (`.j2` is left out).
    """
    return context.home / ".runs" / context.environment / name.removesuffix(".j2")


def keep_applied(context: Context, rendered: Manifest) -> None:
    """Keep a manifest in the run's own folder, as it is applied: the next run's may be another one."""
    name = rendered.template.name.removesuffix(".j2")
    keep(context.home / ".runs" / context.run_id / MANIFESTS / name, rendered.text)


def labels(context: Context) -> dict[str, str]:
    """Give the labels that every object of this environment carries."""
    return {MANAGED_BY: "runbook", ENVIRONMENT: context.environment}


def job_name(context: Context) -> str:
    """Name this run's benchmark Job."""
    return f"{context.variables.bench.name}-{context.measurement_id}"


def api_key_name(variables: Variables) -> str:
    """Name the Secret that holds the server's key: another key is another name, so that Pods follow it."""
    key = variables.server.api_key
    name = f"{variables.server.name}-api-key"
    return name if key is None else f"{name}-{_key_hash(key, name)}"


def api_key_secret(context: Context, apply_set: str) -> Object | None:
    """Make the Secret of the server's key; it is applied, and never written to a file.

    Args:
        apply_set: id of the set that it is a member of.
    """
    variables = context.variables
    if variables.server.api_key is None:
        return None
    value = base64.b64encode(variables.server.api_key.reveal().encode()).decode()
    name, namespace = api_key_name(variables), variables.kube.namespace
    metadata = {"name": name, "namespace": namespace, "labels": {**labels(context), PART_OF: apply_set}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "data": {API_KEY_FIELD: value},
    }


@dataclass(frozen=True)
class VolumeNames:
    """The names of the model's PersistentVolume and of its PersistentVolumeClaim."""

    volume: str
    claim: str


def volume_names(variables: Variables) -> VolumeNames:
    """Name the model's volume and claim; a hash of all that cannot be changed in them ends both."""
    suffix = _volume_hash(variables)
    return VolumeNames(f"{variables.volume.name}-{suffix}", f"{variables.volume.claim}-{suffix}")


def template_values(
    template: str,
    variables: Variables,
    tree: Mapping[str, Any],
    *,
    environment: str,
    run_id: str,
    content: str,
    client_image: str = "",
) -> dict[str, Any]:
    """Collect what a template may name.

    Args:
        template: its file name.
        tree: the variables as plain nested values.
        run_id: ends the benchmark Job's name.
        content: a hash of the model's files.
        client_image: of the benchmark, by its digest; empty: bench.image.
    """
    mount = variables.volume.mount_path
    folder = f"/{variables.checkpoint.folder}" if variables.volume.only_dir else ""
    volume = volume_names(variables)
    names = {
        "volume": volume.volume,
        "claim": volume.claim,
        "api_key": api_key_name(variables),
        "job": f"{variables.bench.name}-{run_id}",
        "apply_set": ApplySet(set_name(template, environment), {}).id,
    }
    paths = {"mount": mount, "volume": mount + folder}
    return {
        **tree,
        "environment": environment,
        "names": names,
        "paths": paths,
        "model_content": content,
        "client_image": client_image or variables.bench.image,
        "autopilot_nodes": node_labels(variables),
    }


def _manifest(context: Context, template: str, client_image: str) -> Manifest:
    path = context.root / "manifests" / template
    if not path.is_file():
        raise ManifestError(f"there is no manifest template {template}", place=Place.in_file(path))
    values = template_values(
        template,
        context.variables,
        context.tree,
        environment=context.environment,
        run_id=context.measurement_id,
        content=content_hash(context),
        client_image=client_image,
    )
    text = render(path, values)
    return Manifest(path, text, tuple(parse(text, path)))


@cache
def _key_hash(key: Secret, salt: str) -> str:
    """Hash a key slowly and briefly, as names are public: what guesses keys learns too little."""
    digest = hashlib.pbkdf2_hmac("sha256", key.reveal().encode(), salt.encode(), _HASH_ROUNDS)
    return digest.hex()[:8]


def _volume_hash(variables: Variables) -> str:
    """Hash what the API refuses to change in a volume or its claim, and what running Pods would not see."""
    volume = variables.volume
    # volumes are of the whole cluster: one for each namespace with the claim
    place = [] if variables.kube.namespace == "default" else [variables.kube.namespace]
    fixed = [
        variables.bucket.name,
        variables.checkpoint.folder if volume.only_dir else "",
        volume.capacity,
        volume.storage_class,
        dict(volume.attributes),
        list(volume.mount_options),
        *place,
    ]
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:8]
