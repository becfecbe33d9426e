"""Services of type LoadBalancer: an address outside, after the time that the cloud takes for it.

As on GKE a balancer is of the VPC network where its annotation says Internal. One that has to become the
other kind is made anew, and the Service keeps the address of the old one until then.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object, Store
from rehearsal.kube.control.control_loop import Controller, Key, key_of, named
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.finalizers import add_finalizer, finalizers, release
from rehearsal.kube.control.pods import seconds_since
from rehearsal.world import World

_FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
_PROVISIONING_SECONDS = 45.0
_KIND = "networking.gke.io/load-balancer-type"
_INTERNAL = "10.128.0."
_EXTERNAL = "203.0.113."


class LoadBalancers(Controller):
    """Gives and takes the ingress addresses.

    Those outside are of TEST-NET-3, so nothing answers there; internal ones are of GKE's default subnet.
    """

    def __init__(self, store: Store, recorder: EventRecorder, world: World) -> None:
        super().__init__(store)
        self._recorder = recorder
        self._world = world
        self._made_anew: dict[Key, float] = {}

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Services."""
        return named(event, "Service")

    def reconcile(self, key: Key) -> float | None:
        """Bring up the load balancer that the type asks for, or take it down."""
        service = self.find("Service", key)
        if service is None:
            return None
        wanted = service["spec"].get("type") == "LoadBalancer"
        if not wanted or "deletionTimestamp" in service["metadata"]:
            self._take_down(service)
            return None
        if _ingress(service):
            return self._keep(key, service)
        if add_finalizer(service, _FINALIZER):
            service = self.store.update(kind_of("Service"), service)
            self._recorder.normal(service, "EnsuringLoadBalancer", "Ensuring load balancer")
        return self._bring_up(service)

    def _keep(self, key: Key, service: Object) -> float | None:
        """Leave a balancer of the right kind as it is; make any other anew."""
        if str(_ingress(service)[0]["ip"]).startswith(_range(service)):
            self._made_anew.pop(key, None)
            return None
        if key not in self._made_anew:
            self._made_anew[key] = time.monotonic()
            self._recorder.normal(service, "EnsuringLoadBalancer", "Ensuring load balancer")
        left = self._seconds - (time.monotonic() - self._made_anew[key])
        return self._give(service, left)

    def _bring_up(self, service: Object) -> float | None:
        left = self._seconds - seconds_since(service["metadata"]["creationTimestamp"])
        return self._give(service, left)

    @property
    def _seconds(self) -> float:
        return _PROVISIONING_SECONDS * self._world.settings.time_scale

    def _give(self, service: Object, left: float) -> float | None:
        if left > 0:
            return left
        number = 1 + hashlib.sha256(service["metadata"]["uid"].encode()).digest()[0] % 254
        ingress = [{"ip": f"{_range(service)}{number}", "ipMode": "VIP"}]
        self.write_status(service, {"loadBalancer": {"ingress": ingress}})
        self._recorder.normal(service, "EnsuredLoadBalancer", "Ensured load balancer")
        return None

    def _take_down(self, service: Object) -> None:
        if _FINALIZER not in finalizers(service):
            return
        self._recorder.normal(service, "DeletingLoadBalancer", "Deleting load balancer")
        self.write_status(service, {"loadBalancer": {}})
        release(self.store, kind_of("Service"), *key_of(service), _FINALIZER)


def _ingress(service: Object) -> list[Object]:
    found: list[Object] = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return found


def _range(service: Object) -> str:
    annotations = service["metadata"].get("annotations") or {}
    return _INTERNAL if annotations.get(_KIND) == "Internal" else _EXTERNAL
