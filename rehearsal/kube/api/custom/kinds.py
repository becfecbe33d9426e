"""Which kinds a cluster serves: the built-in ones, and those of its CustomResourceDefinitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from rehearsal.kube.api.custom.types import custom_type
from rehearsal.kube.api.kinds import KINDS, Custom, Kind, kind_of
from rehearsal.kube.api.store import Object, Store

_DEFINITION = kind_of("CustomResourceDefinition")
_known: WeakKeyDictionary[Store, tuple[int, tuple[Kind, ...]]] = WeakKeyDictionary()


def served_kinds(store: Store) -> tuple[Kind, ...]:
    """Give the built-in kinds and those that CustomResourceDefinitions add."""
    version = store.changed(_DEFINITION)
    known = _known.get(store)
    if known is None or known[0] != version:
        custom = [kind for definition in store.list(_DEFINITION) for kind in kinds_of(definition)]
        known = _known[store] = (version, (*KINDS, *custom))
    return known[1]


def kinds_of(definition: Object) -> Iterator[Kind]:
    """Give one kind for each version that a CustomResourceDefinition serves."""
    spec = definition["spec"]
    return (_kind(spec, version) for version in spec["versions"] if version.get("served"))


def _kind(spec: dict[str, Any], version: dict[str, Any]) -> Kind:
    names, parts = spec["names"], version.get("subresources") or {}
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    return Kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        namespaced=spec.get("scope") == "Namespaced",
        short_names=tuple(names.get("shortNames", ())),
        categories=tuple(names.get("categories", ())),
        status="status" in parts,
        scale="scale" in parts,
        generation=True,
        custom=Custom(
            custom_type(schema),
            schema,
            tuple(version.get("additionalPrinterColumns") or ()),
            parts.get("scale") or {},
        ),
    )
