"""The kinds of object that a cluster knows, with their names in URLs and on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearsal.kube.api.schema import Type


@dataclass(frozen=True)
class Custom:
    """What a CustomResourceDefinition says of its kind.

    Args:
        described: the type of the objects' fields.
        schema: the OpenAPI schema from which it is; empty where anything goes.
        columns: `additionalPrinterColumns`.
        scale: where the replicas are, as `subresources.scale` says.
    """

    described: Type
    schema: Mapping[str, Any]
    columns: tuple[Mapping[str, Any], ...] = ()
    scale: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    Args:
        group: API group; empty for the core group.
        plural: the name in URLs (the resource).
        namespaced: whether objects live in a Namespace.
        short_names: what kubectl also accepts.
        categories: such as `all`, as in `kubectl get all`.
        status: whether there is a status subresource (a plain write then leaves status as it is).
        scale: whether there is a scale subresource.
        generation: whether metadata.generation counts the changes of the desired state.
        custom: what its CustomResourceDefinition says; None for a built-in kind.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    scale: bool = False
    generation: bool = False
    custom: Custom | None = field(default=None, compare=False, repr=False)

    @property
    def api_version(self) -> str:
        """Name group and version as objects do: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """Name the resource as messages do: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def singular(self) -> str:
        """Name one object as kubectl prints it: `deployment`."""
        return self.kind.lower()


_ALL = ("all",)

KINDS: tuple[Kind, ...] = (
    Kind("", "v1", "Namespace", "namespaces", namespaced=False, short_names=("ns",), status=True),
    Kind("", "v1", "Node", "nodes", namespaced=False, short_names=("no",), status=True),
    Kind(
        "", "v1", "PersistentVolume", "persistentvolumes", namespaced=False, short_names=("pv",), status=True
    ),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", short_names=("pvc",), status=True),
    Kind("", "v1", "Pod", "pods", short_names=("po",), categories=_ALL, status=True, generation=True),
    Kind("", "v1", "Service", "services", short_names=("svc",), categories=_ALL, status=True),
    Kind("", "v1", "Endpoints", "endpoints", short_names=("ep",)),
    Kind("", "v1", "ServiceAccount", "serviceaccounts", short_names=("sa",)),
    Kind("", "v1", "ConfigMap", "configmaps", short_names=("cm",)),
    Kind("", "v1", "Secret", "secrets"),
    Kind("", "v1", "Event", "events", short_names=("ev",)),
    Kind("", "v1", "ResourceQuota", "resourcequotas", short_names=("quota",), status=True),
    Kind(
        "apps",
        "v1",
        "Deployment",
        "deployments",
        short_names=("deploy",),
        categories=_ALL,
        status=True,
        scale=True,
        generation=True,
    ),
    Kind(
        "apps",
        "v1",
        "ReplicaSet",
        "replicasets",
        short_names=("rs",),
        categories=_ALL,
        status=True,
        scale=True,
        generation=True,
    ),
    Kind(
        "apps",
        "v1",
        "StatefulSet",
        "statefulsets",
        short_names=("sts",),
        categories=_ALL,
        status=True,
        scale=True,
        generation=True,
    ),
    Kind(
        "apps",
        "v1",
        "DaemonSet",
        "daemonsets",
        short_names=("ds",),
        categories=_ALL,
        status=True,
        generation=True,
    ),
    Kind("batch", "v1", "Job", "jobs", categories=_ALL, status=True, generation=True),
    Kind("coordination.k8s.io", "v1", "Lease", "leases"),
    Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", generation=True),
    Kind("storage.k8s.io", "v1", "CSIDriver", "csidrivers", namespaced=False),
    Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False, short_names=("sc",)),
    Kind(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
        short_names=("crd", "crds"),
        status=True,
        generation=True,
    ),
)

_BY_KIND = {kind.kind: kind for kind in KINDS}


def kind_of(kind: str) -> Kind:
    """Look up a built-in kind by its name, such as `Deployment`.

    Raises:
        KeyError: there is no such kind.
    """
    return _BY_KIND[kind]


def kinds_of_group(kinds: tuple[Kind, ...], group: str, version: str) -> Iterator[Kind]:
    """Give the kinds that one group serves in one version."""
    return (kind for kind in kinds if (kind.group, kind.version) == (group, version))
