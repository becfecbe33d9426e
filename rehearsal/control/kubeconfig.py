"""A kubeconfig file as gcloud writes it, for scenarios about the operator's own machine."""

from __future__ import annotations

import json
from pathlib import Path

from rehearsal.documents import Database
from rehearsal.gke.names import ClusterName

COLLECTION = "kubeconfig files"


def write_kubeconfig(
    database: Database, file: Path, cluster: ClusterName, endpoint: str, command: str
) -> None:
    """Write a file whose one user logs in by running a program; a reset takes it away again.

    Args:
        database: remembers it.
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
    database.collection(COLLECTION)[str(file)] = config


def remove_kubeconfigs(database: Database) -> None:
    """Delete the files that scenarios wrote, unless somebody has written them anew."""
    written = database.collection(COLLECTION)
    for name, config in written.items():
        file = Path(name)
        if file.exists() and file.read_text() == json.dumps(config):
            file.unlink()
    written.clear()
