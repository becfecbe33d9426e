"""A container's environment variables and command line, as the kubelet makes them from the spec."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Object, Store

_REFERENCE = re.compile(r"\$(?:\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class NotCreated(Exception):  # noqa: N818 - CreateContainerError is the kubelet's word
    """The container runtime does not create a container; it is tried again."""

    reason = "CreateContainerError"


class ConfigurationMissing(NotCreated):
    """A ConfigMap, a Secret or a key that the container needs is not there."""

    reason = "CreateContainerConfigError"


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME) by a variable's value; an unknown name stays, and $$ is one dollar sign."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return variables.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def command_line(container: Object, variables: Mapping[str, str]) -> list[str]:
    """Give command and args with their references replaced."""
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    return [expand(word, variables) for word in words]


class EnvironmentSource:
    """Reads what env and envFrom refer to.

    Args:
        pod: with the status that fieldRef may ask for.
    """

    def __init__(self, store: Store, pod: Object) -> None:
        self._store = store
        self._pod = pod
        self._namespace = pod["metadata"]["namespace"]

    def variables(self, container: Object) -> dict[str, str]:
        """Give the variables of a container.

        Raises:
            ConfigurationMissing: something that is not optional is not there.
        """
        found = dict(self._service_links()) if self._pod["spec"].get("enableServiceLinks", True) else {}
        for source in container.get("envFrom") or []:
            found.update(self._all_of(source))
        for entry in container.get("env") or []:
            value = self._value(entry, container, found)
            if value is not None:
                found[entry["name"]] = value
        return found

    def _value(self, entry: Object, container: Object, known: Mapping[str, str]) -> str | None:
        source = entry.get("valueFrom")
        if source is None:
            return expand(entry.get("value") or "", known)
        if "fieldRef" in source:
            return self.field(source["fieldRef"]["fieldPath"])
        if "resourceFieldRef" in source:
            side, _, name = source["resourceFieldRef"]["resource"].partition(".")
            return str(((container.get("resources") or {}).get(side) or {}).get(name, "0"))
        kind = "ConfigMap" if "configMapKeyRef" in source else "Secret"
        return self._key(kind, source.get("configMapKeyRef") or source["secretKeyRef"])

    def field(self, path: str) -> str:
        """Give the value at a fieldPath such as metadata.labels['app'] or status.podIP."""
        if match := _SUBSCRIPT.fullmatch(path):
            return str((self._pod["metadata"].get(match[1]) or {}).get(match[2], ""))
        part, _, name = path.partition(".")
        return str((self._pod.get(part) or {}).get(name, ""))

    def _key(self, kind: str, reference: Object) -> str | None:
        name, key = reference["name"], reference["key"]
        data = self._data(kind, name, bool(reference.get("optional")))
        if key not in data and not reference.get("optional"):
            raise ConfigurationMissing(f"couldn't find key {key} in {kind} {self._namespace}/{name}")
        return data.get(key)

    def _all_of(self, source: Object) -> dict[str, str]:
        kind = "ConfigMap" if "configMapRef" in source else "Secret"
        reference = source.get("configMapRef") or source["secretRef"]
        data = self._data(kind, reference["name"], bool(reference.get("optional")))
        return {f"{source.get('prefix', '')}{key}": value for key, value in data.items()}

    def _data(self, kind: str, name: str, optional: bool) -> dict[str, str]:
        found = self._store.get(kind_of(kind), self._namespace, name)
        if found is None and not optional:
            raise ConfigurationMissing(f'{kind.lower()} "{name}" not found')
        data = (found or {}).get("data") or {}
        if kind == "Secret":
            return {key: base64.b64decode(value).decode() for key, value in data.items()}
        return dict(data)

    def _service_links(self) -> Iterator[tuple[str, str]]:
        """Give the variables that tell of each Service of the Namespace, in Docker's old manner."""
        for service in self._store.list(kind_of("Service"), self._namespace):
            address, ports = service["spec"].get("clusterIP"), service["spec"].get("ports")
            if address in (None, "", "None") or not ports:
                continue
            name = service["metadata"]["name"].upper().replace("-", "_")
            url = f"{ports[0].get('protocol', 'TCP').lower()}://{address}:{ports[0]['port']}"
            yield f"{name}_SERVICE_HOST", address
            yield f"{name}_SERVICE_PORT", str(ports[0]["port"])
            yield f"{name}_PORT", url
