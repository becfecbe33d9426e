"""kubeconfig files as people write them, and login plug-ins that are small scripts."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.clients.kube import kubeconfig
from tests.steps_kube.deployment_place import Place

V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"

PLUGIN = """\
#!{python}
import json, os, sys
from pathlib import Path
folder = Path({folder!r})
runs = folder / "runs"
with runs.open("a") as file:
    file.write(json.dumps(dict(
        args=sys.argv[1:], flavour=os.environ.get("FLAVOUR"), stdin=sys.stdin.read(),
        info=json.loads(os.environ["KUBERNETES_EXEC_INFO"]))) + "\\n")
number = len(runs.read_text().splitlines())
answers = json.loads((folder / "answers").read_text())
answer = answers[min(number, len(answers)) - 1]
sys.stderr.write(answer.get("error", ""))
print(answer["out"] if "out" in answer else json.dumps(
    {{"apiVersion": answer["version"], "kind": "ExecCredential", "status": answer["status"]}}))
sys.exit(answer.get("code", 0))
"""


@dataclass(frozen=True)
class Handwritten:
    """Files of one test.

    Args:
        folder: where they are written.
        cluster: the cluster's section of its own kubeconfig.
        token: a token that the cluster takes.
    """

    folder: Path
    cluster: dict[str, Any]
    token: str

    @classmethod
    def for_cluster_of(cls, place: Place, folder: Path) -> Handwritten:
        """Write for a place's cluster, from what stands in the kubeconfig that 4.1 wrote."""
        own = kubeconfig.read(place.home / ".runs" / "rehearsal" / "kubeconfig")
        return cls(folder, dict(own["clusters"][0]["cluster"]), place.cloud.token.strip())

    @property
    def authority(self) -> bytes:
        """The certificate that signed the API server's."""
        return base64.b64decode(self.cluster["certificate-authority-data"])

    def file(
        self, user: dict[str, Any], name: str = "lab", current: str | None = None, **cluster: Any
    ) -> Path:
        """Write a kubeconfig of one context.

        Args:
            user: how to log in.
            name: of the file, its context, cluster and user.
            current: its current context; None: its own.
            cluster: more of the cluster's section; None takes something out.
        """
        merged = {**self.cluster, **{key.replace("_", "-"): value for key, value in cluster.items()}}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": name, "cluster": {key: value for key, value in merged.items() if value is not None}}
            ],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name if current is None else current,
        }
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    def plugin(self, *answers: dict[str, Any], version: str = V1, **spec: Any) -> dict[str, Any]:
        """Write a plug-in that gives these answers, one a run and the last one for ever.

        Args:
            answers: each its `status`; or `out` as it is printed; with `error` and `code`.
            version: of the protocol.
            spec: more of the `exec` section.
        """
        script = self.folder / "plugin"
        script.write_text(PLUGIN.format(python=sys.executable, folder=str(self.folder)))
        script.chmod(0o700)
        (self.folder / "answers").write_text(json.dumps([{"version": version, **given} for given in answers]))
        mode = {"interactiveMode": "IfAvailable"} if version == V1 else {}
        return {"exec": {"apiVersion": version, "command": "./plugin", **mode, **spec}}

    def runs(self) -> list[dict[str, Any]]:
        """What the plug-in saw, a run each."""
        path = self.folder / "runs"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
