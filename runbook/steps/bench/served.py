"""The server that is measured, as its Pods run it: the variables may have changed since it was deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.objects import Object
from runbook.config.schema import Variables
from runbook.config.secret import MASK
from runbook.measurement.document import Scalar
from runbook.steps.bench.witness import image_digest
from runbook.steps.kube.templates import arguments

_OWN_FLAGS: Final = frozenset({"host", "port", "model", "served-model-name"})
_OWN_ENVIRONMENT: Final = frozenset(
    {"MODEL_FOLDER_PATH", "VLLM_ENGINE_READY_TIMEOUT_S", "TIKTOKEN_ENCODINGS_BASE", "VLLM_API_KEY"}
)
"""What the manifest writes itself, and no answer takes longer for."""
_CACHE: Final = "VLLM_XLA_CACHE_PATH"
_SECRET: Final = re.compile(r"(?i)(^|[_-])(key|token|secret|password|credentials?)$")
_LOGIN: Final = re.compile(r"://[^/\s]+@")
_WHOLE: Final = re.compile(r"-?\d+", re.ASCII)
_REAL: Final = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Configuration:
    """What a server was started with.

    Args:
        image: as its Pod names it.
        flags: of vllm serve, without those that say where it listens and what it serves.
        env: its environment variables; what is or may be a secret is `***`.
    """

    image: str
    flags: Mapping[str, Scalar]
    env: Mapping[str, str]


@dataclass(frozen=True)
class Served:
    """What answered a benchmark.

    Args:
        replicas: Pods that took requests throughout; None where that is not known.
        configuration: None where it is not known, or not the same in all of them.
        digest: of the image, likewise.
    """

    replicas: int | None
    configuration: Configuration | None
    digest: str | None

    @property
    def max_model_len(self) -> int | None:
        """Tokens of prompt and answer together that the server takes."""
        longest = self.configuration and self.configuration.flags.get("max-model-len")
        return longest if isinstance(longest, int) else None

    def fingerprint(self) -> dict[str, Scalar]:
        """Write it under the document's keys."""
        found = self.configuration
        return {
            "server_image": found.image if found else None,
            "server_digest": self.digest,
            "server_flags": _json(found.flags) if found else None,
            "server_env": _json(found.env) if found else None,
            "replicas": self.replicas,
        }


def served_by(pods: Sequence[Object], name: str) -> Served:
    """Tell what answered.

    Args:
        pods: those that took requests.
        name: of the server's container.
    """
    found = [configuration(pod["spec"], name) for pod in pods]
    same = bool(found) and all(one == found[0] for one in found)
    return Served(len(pods) or None, found[0] if same else None, image_digest(pods))


def configuration(spec: Object, name: str) -> Configuration:
    """Read what a Pod, or a template of Pods, starts the server with.

    Args:
        spec: of the Pod.
        name: of the server's container; the first one where none is called that.
    """
    containers: Sequence[Object] = spec["containers"]
    found = next((one for one in containers if one["name"] == name), containers[0])
    words = [*found.get("command", ()), *found.get("args", ())]
    return Configuration(found["image"], _flags(words), _environment(found.get("env", ())))


def ready_replicas(deployment: Object) -> int:
    """Count the Pods that take requests; one that is only planned has all that it asks for."""
    asked: int = deployment["spec"].get("replicas", 1)
    ready: int = deployment.get("status", {}).get("readyReplicas", asked)
    return ready


def not_deployed(variables: Variables, deployment: Object) -> Iterator[str]:
    """Name in what the server that serves is not the one that the variables would deploy.

    Args:
        deployment: as it is in the cluster.
    """
    server = variables.server
    found = configuration(deployment["spec"]["template"]["spec"], server.name)
    env = dict(server.env)
    if server.compilation_cache:
        env[_CACHE] = f"{variables.volume.mount_path}/$(MODEL_FOLDER_PATH)/{server.compilation_cache}"
    wanted = _environment([{"name": name, "value": value} for name, value in env.items()])
    present: dict[str, Scalar] = {"image": found.image, "replicas": ready_replicas(deployment)}
    yield from _differing(present, {"image": server.image, "replicas": server.replicas}, "server.")
    yield from _differing(found.flags, _flags(list(arguments(server.flags, model=""))), "server.flags.")
    yield from _differing(found.env, wanted, "server.env.")


def _differing(found: Mapping[str, Scalar], wanted: Mapping[str, Scalar], group: str) -> Iterator[str]:
    for name, value in wanted.items():  # what else is there may be written by a manifest that was edited
        if found.get(name) != value:
            yield f"{group}{name} is {found.get(name, 'absent')}, not {value}"


def _flags(words: Sequence[str]) -> dict[str, Scalar]:
    """Read `--name=value`, `--name value` and `--name`."""
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found[name] = [value] if equals else []
        elif name:
            found[name].append(word)
    return {
        name: MASK if _is_secret(name, " ".join(values)) else _value(values)
        for name, values in found.items()
        if name not in _OWN_FLAGS
    }


def _is_secret(name: str, text: str) -> bool:
    return bool(_SECRET.search(name) or _LOGIN.search(text))


def _value(words: Sequence[str]) -> Scalar:
    text = " ".join(words)
    if not words:
        return True
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text


def _environment(entries: Sequence[Object]) -> dict[str, str]:
    """Read what is written plainly; what comes from elsewhere, and what may be a secret, stays hidden."""
    found = {
        entry["name"]: str(entry.get("value", MASK if "valueFrom" in entry else "")) for entry in entries
    }
    return {
        name: MASK if _is_secret(name, text) else text
        for name, text in found.items()
        if name not in _OWN_ENVIRONMENT
    }


def _json(found: Mapping[str, Scalar]) -> str:
    return json.dumps(dict(found), sort_keys=True, separators=(",", ":"))
