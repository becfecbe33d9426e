"""A kubeconfig file as gcloud writes it, for scenarios about the operator's own machine."""

from __future__ import annotations

import json
from pathlib import Path

from rehearsal.gke.names import ClusterName


def write_kubeconfig(file: Path, cluster: ClusterName, endpoint: str, command: str) -> None:
    """Write a file whose one user logs in by running a program.

    Args:
        file: JSON, which is YAML too.
        endpoint: the API server's host and port.
        command: the program.
    """
    name = f"gke_{cluster.project}_{cluster.location}_{cluster.cluster}"
    login = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": command}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"https://{endpoint}"}}],
        "users": [{"name": name, "user": {"exec": login | {"provideClusterInfo": True}}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
