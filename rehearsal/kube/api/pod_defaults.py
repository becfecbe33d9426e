"""What the API server fills in where a Pod, or a template of Pods, says nothing."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.store import Object, clone

_POD = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
}
_CONTAINER = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_FILE_MODE_SOURCES = ("configMap", "secret", "projected", "downwardAPI")


def fill(target: Object, defaults: Object) -> None:
    """Set each default where the target has no value of its own."""
    for key, value in defaults.items():
        if target.get(key) is None:
            target[key] = clone(value)


def default_pod_spec(spec: Object) -> None:
    """Complete a Pod's or a template's spec, in place."""
    fill(spec, _POD)
    fill(spec, {"securityContext": {}})
    if name := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec.update(serviceAccountName=name, serviceAccount=name)
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        _default_container(container)
    for volume in spec.get("volumes", []):
        _default_volume(volume)


def default_pod(pod: Object) -> None:
    """Complete what only Pods get, not templates: requests from limits, priority, the service account."""
    spec = pod["spec"]
    fill(spec, {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority", "priority": 0})
    if not spec.get("serviceAccountName"):
        spec.update(serviceAccountName="default", serviceAccount="default")
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        resources = container["resources"]
        if limits := resources.get("limits"):
            fill(resources.setdefault("requests", {}), limits)
    _tolerate_passing_trouble(spec)
    fill(pod.setdefault("status", {}), {"phase": "Pending", "qosClass": quality_of_service(spec)})


def _tolerate_passing_trouble(spec: Object) -> None:
    tolerations = spec.setdefault("tolerations", [])
    for taint in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(toleration.get("key") == taint for toleration in tolerations):
            tolerations.append(
                {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            )


def quality_of_service(spec: Object) -> str:
    """Give the Pod's class: Guaranteed, Burstable or BestEffort, by the cpu and memory it asks for."""
    asked = [container.get("resources", {}) for container in spec.get("containers", [])]
    plain = [
        {side: {name: value for name, value in resources.get(side, {}).items() if name in {"cpu", "memory"}}
         for side in ("requests", "limits")}
        for resources in asked
    ]  # fmt: skip
    if not any(sides["requests"] or sides["limits"] for sides in plain):
        return "BestEffort"
    if all(len(sides["limits"]) == 2 and sides["requests"] == sides["limits"] for sides in plain):
        return "Guaranteed"
    return "Burstable"


def _default_container(container: Object) -> None:
    fill(container, _CONTAINER)
    fill(container, {"resources": {}, "imagePullPolicy": _pull_policy(container.get("image", ""))})
    for port in container.get("ports", []):
        fill(port, {"protocol": "TCP"})
    for variable in container.get("env", []):
        if field := variable.get("valueFrom", {}).get("fieldRef"):
            fill(field, {"apiVersion": "v1"})
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _default_probe(container[name])
    for hook in container.get("lifecycle", {}).values():
        _default_http_get(hook)


def _pull_policy(image: str) -> str:
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in {"", "latest"} else "IfNotPresent"


def _default_probe(probe: Object) -> None:
    fill(probe, _PROBE)
    _default_http_get(probe)


def _default_http_get(action: Object) -> None:
    if "httpGet" in action:
        fill(action["httpGet"], {"path": "/", "scheme": "HTTP"})


def _default_volume(volume: Object) -> None:
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}
    for source in _FILE_MODE_SOURCES:
        if source in volume:
            fill(volume[source], {"defaultMode": 420})
    if "hostPath" in volume:
        fill(volume["hostPath"], {"type": ""})
    for source in volume.get("projected", {}).get("sources", []):
        _default_token(source.get("serviceAccountToken"))


def _default_token(projection: Any) -> None:
    if projection is not None:
        fill(projection, {"expirationSeconds": 3600})
