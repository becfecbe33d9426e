"""kubeconfig files: where this environment's lies, and entries as gcloud's get-credentials writes them."""

from __future__ import annotations

import base64
import io
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from runbook.config.schema import Variables
from runbook.engine.errors import Place, UserError

PLUGIN: Final = "gke-gcloud-auth-plugin"
_HINT: Final = (
    "Install gke-gcloud-auth-plugin for use with kubectl by following "
    "https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin"
)

Config = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One cluster with its user and context, all of one name.

    Args:
        name: such as `gke_PROJECT_LOCATION_CLUSTER`.
        server: address, such as `https://34.1.2.3`.
        ca_certificate: PEM; None where a public authority signs.
        token_file: holds the bearer token; None where gke-gcloud-auth-plugin gets one.
        plugin_flags: of that plug-in, where it takes another login than gcloud's own.
        server_name: what the API server's certificate is for, where that is not the address.
    """

    name: str
    server: str
    ca_certificate: str | None
    token_file: Path | None
    plugin_flags: tuple[str, ...] = ()
    server_name: str | None = None

    def sections(self) -> dict[str, dict[str, Any]]:
        """Give what stands in the file's clusters, users and contexts."""
        return {
            "clusters": {"name": self.name, "cluster": self._cluster()},
            "users": {"name": self.name, "user": self._user()},
            "contexts": {"name": self.name, "context": {"cluster": self.name, "user": self.name}},
        }

    def _cluster(self) -> dict[str, Any]:
        reached = {"server": self.server}
        if self.server_name:
            reached["tls-server-name"] = self.server_name
        if self.ca_certificate is None:
            return reached
        authority = base64.b64encode(self.ca_certificate.encode()).decode()
        return {"certificate-authority-data": authority, **reached}

    def _user(self) -> dict[str, Any]:
        if self.token_file is not None:
            return {"tokenFile": str(self.token_file)}
        plugin: dict[str, Any] = {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": PLUGIN,
            "installHint": _HINT,
            "provideClusterInfo": True,
        }
        return {"exec": plugin | ({"args": list(self.plugin_flags)} if self.plugin_flags else {})}


def context_name(project: str, location: str, cluster: str) -> str:
    """Name a context as gcloud does."""
    return f"gke_{project}_{location}_{cluster}"


def kubeconfig_path(variables: Variables, home: Path, environment: str) -> Path:
    """Find this environment's kubeconfig file; the first, where KUBECONFIG names several.

    Args:
        home: the folder that holds .runs/ (RUNBOOK_HOME).
        environment: the environment's name.
    """
    return kubeconfig_files(variables, home, environment)[0]


def kubeconfig_files(variables: Variables, home: Path, environment: str) -> tuple[Path, ...]:
    """Find this environment's kubeconfig files: for provider kubeconfig there may be several.

    Args:
        home: the folder that holds .runs/ (RUNBOOK_HOME).
        environment: the environment's name.
    """
    if variables.kube.kubeconfig:
        return (Path(variables.kube.kubeconfig).expanduser(),)
    if variables.provider == "kubeconfig":
        named = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
        return tuple(Path(name).expanduser() for name in dict.fromkeys(named or ["~/.kube/config"]))
    return (home / ".runs" / environment / "kubeconfig",)


def read(path: Path) -> Config:
    """Read a kubeconfig file; an empty one where there is none.

    Raises:
        UserError: it cannot be read, or it is not YAML.
    """
    if not path.exists():
        return {}
    try:
        found = _yaml(_Read).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"the kubeconfig file cannot be read: {error.strerror}"
        raise UserError(message, place=Place.in_file(path)) from error
    except (YAMLError, ValueError) as error:
        raise UserError("the kubeconfig file is not YAML", place=Place.in_file(path)) from error
    return found if isinstance(found, dict) else {}


def merged(config: Mapping[str, Any], entry: Entry) -> Config:
    """Give a file's content with an entry in it, the entry's context being the current one."""
    result: Config = {"apiVersion": "v1", "kind": "Config", "preferences": {}, **config}
    for section, item in entry.sections().items():
        others = [other for other in result.get(section) or [] if other.get("name") != entry.name]
        result[section] = [*others, item]
    result["current-context"] = entry.name
    return result


def write(path: Path, config: Config) -> None:
    """Write a kubeconfig file, readable by its owner only; a reader sees the old one or the new one.

    Where the path is a symbolic link, the file that it leads to is written.
    """
    text = io.StringIO()
    _yaml(_Written).dump(config, text)
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".kubeconfig-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text.getvalue())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class _Read(VersionedResolver):
    """Takes plain scalars as kubectl does: the booleans are those of YAML 1.1, such as `yes` and `off`."""

    more: ClassVar = {
        "tag:yaml.org,2002:bool": re.compile(r"[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
    }

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Give the tag of a node that has none; a string that would get another is written in quotes."""
        if kind is ScalarNode and implicit[0]:
            for tag, pattern in self.more.items():
                if pattern.fullmatch(value):
                    return Tag(suffix=tag)
        return super().resolve(kind, value, implicit)


class _Written(_Read):
    """Takes as something else also what only some readers of YAML 1.1 do: `12:30` counts by sixties."""

    more: ClassVar = _Read.more | {
        "tag:yaml.org,2002:int": re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
    }


def _yaml(resolver: type[VersionedResolver]) -> YAML:
    made = YAML(typ="safe", pure=True)
    made.Resolver = resolver
    return made
