"""Services: addresses inside and outside, and connections to Pods that are ready."""

from __future__ import annotations

import json
import socket

from rehearsal.world import Settings
from tests.kube_control.kube_stand_in import Json, Kube, condition, wait
from tests.kube_control.test_pods_run_as_processes import SERVER, pod


def service(kind: str = "ClusterIP") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "type": kind,
            "selector": {"tier": "web"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def server(name: str, **probe: str) -> Json:
    made = pod(name, "python3", "-c", SERVER, ports=[{"name": "http", "containerPort": 8000}])
    made["metadata"]["labels"] = {"tier": "web"}
    made["spec"]["containers"][0]["readinessProbe"] = {
        "httpGet": {"path": "/", "port": "http"},
        "periodSeconds": 1,
    }
    return made


def hosts(kube: Kube) -> dict[str, str]:
    """Ask a container for the addresses that it knows."""
    name = "asker"
    if kube.get("Pod", name) is None:
        kube.apply(pod(name, "sh", "-c", 'echo "$REHEARSAL_CONTAINER"; sleep 100'))
    path = wait(lambda: kube.log(name) if condition("Ready")(kube.get("Pod", name)) else "")
    with open(path.strip()) as description:  # noqa: PTH123 - the path is what the container printed
        found: dict[str, str] = json.load(description)["hosts"]
    return found


def ask(address: str) -> str:
    """Make one HTTP request; give the answer's body, or nothing when the connection is dropped."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        except ConnectionError:
            return ""
    return answer.rpartition(b"\r\n\r\n")[2].decode()


def test_a_container_finds_a_service_under_all_of_its_names(kube: Kube) -> None:
    kube.apply(service())
    kube.apply(server("one"))
    kube.wait("Pod", "one", until=condition("Ready"))
    known = hosts(kube)
    names = ("web:80", "web.default:80", "web.default.svc:80", "web.default.svc.cluster.local:80")
    assert {ask(known[name]) for name in names} == {"one"}


def test_each_connection_goes_to_a_pod_that_is_ready_then(kube: Kube) -> None:
    kube.apply(service())
    address = wait(lambda: hosts(kube).get("web:80"))
    assert ask(address) == ""
    for name in ("one", "two"):
        kube.apply(server(name))
        kube.wait("Pod", name, until=condition("Ready"))
    wait(lambda: {ask(address) for _ in range(10)}, until=lambda answers: answers == {"one", "two"})
    kube.delete("Pod", "one")
    wait(lambda: {ask(address) for _ in range(5)}, until=lambda answers: answers == {"two"})


def test_endpoints_list_the_ready_pods(kube: Kube) -> None:
    kube.apply(service())
    kube.apply(server("one"))
    kube.wait("Pod", "one", until=condition("Ready"))
    (found,) = wait(
        lambda: kube.items("EndpointSlice", labelSelector="kubernetes.io/service-name=web"),
        until=lambda slices: [each["conditions"]["ready"] for each in slices[0]["endpoints"] or []] == [True],
    )
    assert found["ports"] == [{"name": "http", "port": 8000, "protocol": "TCP"}]
    assert found["endpoints"][0]["targetRef"]["name"] == "one"
    endpoints = kube.get("Endpoints", "web")
    assert endpoints is not None
    assert endpoints["subsets"][0]["addresses"][0]["ip"] == found["endpoints"][0]["addresses"][0]


def test_a_load_balancer_has_an_address_outside_for_as_long_as_it_is_one(kube: Kube) -> None:
    kube.apply(service("LoadBalancer"))
    found = kube.wait("Service", "web", until=ingress)
    assert ingress(found)[0]["ip"].startswith("203.0.113.")
    kube.apply(service("ClusterIP"))
    found = kube.wait("Service", "web", until=lambda now: not ingress(now))
    assert "nodePort" not in found["spec"]["ports"][0]
    assert "finalizers" not in found["metadata"]


def test_a_load_balancer_of_another_kind_is_made_anew_and_keeps_its_address_until_then(kube: Kube) -> None:
    kube.apply(service("LoadBalancer"))
    outside = ingress(kube.wait("Service", "web", until=ingress))
    kube.stand_in.world.settings = Settings(time_scale=0.02)
    internal = service("LoadBalancer")
    internal["metadata"]["annotations"] = {"networking.gke.io/load-balancer-type": "Internal"}
    assert ingress(kube.apply(internal)[0]) == outside
    assert ingress(kube.get("Service", "web")) == outside
    found = kube.wait("Service", "web", until=lambda now: ingress(now) != outside)
    assert ingress(found)[0]["ip"].startswith("10.128.0.")


def ingress(found: Json | None) -> list[Json]:
    balancer = (found or {}).get("status", {}).get("loadBalancer", {})
    entries: list[Json] = balancer.get("ingress", [])
    return entries
