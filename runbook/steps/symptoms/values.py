"""Remedies of known symptoms, with this environment's values."""

from __future__ import annotations

from typing import Any, Final

from runbook.steps.context import Context
from runbook.steps.kube.remedies import KUBECTL, reaching
from runbook.steps.symptoms.symptom import Symptom

DEFAULT_ENVIRONMENT: Final = "rehearsal"
_UNSET: Final = "not set"


def remedy(context: Context, symptom: Symptom) -> str:
    """Write what to do about a symptom, for this environment."""
    named = {name: str(value) for name, value in _values(context).items()}
    return reaching(context, symptom.remedy.format_map(named))


def _values(context: Context) -> dict[str, Any]:
    variables = context.variables
    flags = variables.server.flags
    other = context.environment != DEFAULT_ENVIRONMENT
    return {
        "kubectl": KUBECTL,
        "env": f" --env {context.environment}" if other else "",
        "project": variables.project,
        "zone": variables.zone,
        "zones": ", ".join(variables.tpu.zones),
        "cluster": variables.cluster.name,
        "node_pool": variables.node_pool.name,
        "nodes": variables.node_pool.nodes,
        "reservation": variables.node_pool.reservation or _UNSET,
        "machine_type": variables.tpu.machine_type,
        "accelerator": variables.tpu.accelerator,
        "topology": variables.tpu.topology,
        "bucket": variables.bucket.name,
        "role": variables.bucket.role,
        "folder": variables.checkpoint.folder,
        "mount_path": variables.volume.mount_path,
        "namespace": variables.kube.namespace,
        "service_account": variables.kube.service_account,
        "server": variables.server.name,
        "replicas": variables.server.replicas,
        "image": variables.server.image,
        "engine_ready_timeout_s": variables.server.engine_ready_timeout_s,
        "gpu_memory_utilization": flags.get("gpu-memory-utilization", _UNSET),
        "max_num_seqs": flags.get("max-num-seqs", _UNSET),
    }
