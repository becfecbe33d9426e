"""Kinds that a CustomResourceDefinition adds: its schema is kept to, its columns are printed."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

pytestmark = pytest.mark.clients

COLUMNS = [
    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Ports", "type": "string", "jsonPath": ".spec.ports[*].name", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
PORT = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "number": {"type": "integer", "default": 8000},
    },
}
SPEC = {
    "type": "object",
    "required": ["model"],
    "properties": {
        "model": {"type": "string", "minLength": 1},
        "replicas": {"type": "integer", "minimum": 0, "default": 1},
        "policy": {"type": "string", "enum": ["Spread", "Pack"]},
        "ports": {
            "type": "array",
            "maxItems": 3,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": PORT,
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
STATUS = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SCHEMA = {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}}
VERSION = {
    "name": "v1",
    "served": True,
    "storage": True,
    "schema": SCHEMA,
    "additionalPrinterColumns": COLUMNS,
    "subresources": {
        "status": {},
        "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
    },
}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "servers.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "servers", "kind": "Server", "shortNames": ["srv"]},
        "versions": [{**VERSION, "name": "v1alpha1", "storage": False}, VERSION],
    },
}
SERVER: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "Server",
    "metadata": {"name": "a", "namespace": "default"},
    "spec": {"model": "gpt-oss", "ports": [{"name": "http"}], "free": {"any": [{"thing": {}}]}},
}


@pytest.fixture
def defined(cluster: Any) -> Any:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(DEFINITION))
    return cluster


def with_spec(**changes: Any) -> str:
    return json.dumps({**SERVER, "spec": {**SERVER["spec"], **changes}})


def refused(cluster: Any, *words: str, stdin: str = "") -> str:
    ended = cluster.kubectl(*words, stdin=stdin, check=False)
    assert ended.returncode == 1, ended.stdout
    return str(ended.stderr)


def read(cluster: Any, name: str = "servers.v1.example.com") -> Any:
    return json.loads(cluster.kubectl("get", name, "a", "-o", "json").stdout)


def test_defaults_are_filled_in_and_empty_values_kept(defined: Any) -> None:
    defined.kubectl("apply", "-f", "-", stdin=json.dumps(SERVER))
    assert read(defined)["spec"] == {
        "model": "gpt-oss",
        "replicas": 1,
        "ports": [{"name": "http", "number": 8000}],
        "free": {"any": [{"thing": {}}]},
    }


def test_the_columns_of_the_definition_are_printed(defined: Any) -> None:
    defined.kubectl("apply", "-f", "-", stdin=json.dumps(SERVER))
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    defined.kubectl("patch", "srv", "a", "--subresource=status", "--type=merge", "-p", json.dumps(status))
    heading, line = defined.kubectl("get", "srv", "-o", "wide").stdout.splitlines()
    assert heading.split() == ["NAME", "REPLICAS", "READY", "PORTS", "AGE"]
    assert line.split()[:4] == ["a", "1", "True", "http"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replicas": "2"}, 'spec.replicas in body must be of type integer: "string"'),
        ({"replicas": -1}, "spec.replicas in body should be greater than or equal to 0"),
        ({"policy": "Heap"}, 'Unsupported value: "Heap": supported values: "Spread", "Pack"'),
        ({"model": ""}, "spec.model in body should be at least 1 chars long"),
        ({"ports": [{"number": 1}]}, "spec.ports[0].name: Required value"),
        ({"ports": [{"name": "A"}]}, "spec.ports[0].name in body should match '^[a-z]+$'"),
        ({"ports": [{"name": "a"}, {"name": "a"}]}, "spec.ports[1]: Duplicate value"),
        ({"ports": [{"name": name} for name in "abcd"]}, "spec.ports: Too many: 4: must have at most 3"),
        ({"replica": 2}, 'strict decoding error: unknown field "spec.replica"'),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(
    defined: Any, changes: dict[str, Any], message: str
) -> None:
    assert message in refused(defined, "create", "-f", "-", stdin=with_spec(**changes))


def test_server_side_apply_merges_lists_by_the_keys_of_the_schema(defined: Any) -> None:
    apply = ("apply", "--server-side", "-f", "-", "--field-manager")
    defined.kubectl(*apply, "one", stdin=with_spec(ports=[{"name": "http"}]))
    other = {**copy.deepcopy(SERVER), "spec": {"ports": [{"name": "metrics", "number": 9000}]}}
    defined.kubectl(*apply, "two", stdin=json.dumps(other))
    assert [port["name"] for port in read(defined)["spec"]["ports"]] == ["http", "metrics"]
    other["spec"]["model"] = "other"
    assert 'conflict with "one": .spec.model' in refused(defined, *apply, "two", stdin=json.dumps(other))
    other["spec"]["replica"] = 2
    unknown = refused(defined, *apply, "two", stdin=json.dumps(other))
    assert ".spec.replica: field not declared in schema" in unknown


def test_every_served_version_shows_the_same_object(defined: Any) -> None:
    defined.kubectl("apply", "-f", "-", stdin=json.dumps(SERVER))
    first, old = read(defined), read(defined, "servers.v1alpha1.example.com")
    assert (first.pop("apiVersion"), old.pop("apiVersion")) == ("example.com/v1", "example.com/v1alpha1")
    assert first == old


def test_scale_counts_a_generation_and_status_does_not(defined: Any) -> None:
    defined.kubectl("apply", "-f", "-", stdin=json.dumps(SERVER))
    defined.kubectl("scale", "server/a", "--replicas=3")
    status = json.dumps({"status": {"replicas": 3}})
    defined.kubectl("patch", "server/a", "--subresource=status", "--type=merge", "-p", status)
    live = read(defined)
    assert (live["spec"]["replicas"], live["status"], live["metadata"]["generation"]) == (
        3, {"replicas": 3}, 2,
    )  # fmt: skip


def test_strategic_merge_is_not_for_custom_kinds(defined: Any) -> None:
    defined.kubectl("apply", "-f", "-", stdin=json.dumps(SERVER))
    told = refused(defined, "patch", "server/a", "-p", '{"spec":{"replicas":2}}')
    assert "application/strategic-merge-patch+json is not supported by example.com/v1, Kind=Server" in told


def test_a_definition_that_the_api_server_does_not_take(cluster: Any) -> None:
    wrong = copy.deepcopy(DEFINITION)
    wrong["spec"]["group"] = "gateway.networking.k8s.io"
    told = refused(cluster, "create", "-f", "-", stdin=json.dumps(wrong))
    assert 'must be spec.names.plural+"."+spec.group' in told
    assert 'protected groups must have approval annotation "api-approved.kubernetes.io"' in told
