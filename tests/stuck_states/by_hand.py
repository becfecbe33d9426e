"""What somebody with kubectl does to the cluster while 4.3 waits."""

from __future__ import annotations

import base64
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object, Reference
from tests.steps_kube.deployment_place import Place


@contextmanager
def meanwhile(
    place: Place,
    act: Callable[[KubeClient], None],
    *,
    begun: Callable[[KubeClient], object] | None = None,
    after: float = 0.5,
) -> Iterator[None]:
    """Do something once a state has begun, beside what is done here.

    Args:
        act: what is done.
        begun: tells that it has; None: a Pod waits for a node.
        after: so many seconds later.
    """
    seen: list[float] = []

    def beside() -> None:
        with place.cluster() as cluster:
            until(lambda: (begun or has_unscheduled)(cluster))
            time.sleep(after)
            act(cluster)
            seen.append(time.monotonic())

    thread = threading.Thread(target=beside, daemon=True)
    thread.start()
    yield
    thread.join()
    assert seen, "it was not done"


def has_unscheduled(cluster: KubeClient) -> bool:
    """Tell whether the scheduler has refused a Pod."""
    return any(
        item.get("reason") == "Unschedulable"
        for pod in cluster.list("v1", "Pod", "default")
        for item in pod["status"].get("conditions", ())
    )


def lose_the_volume(cluster: KubeClient) -> None:
    """Kubectl patch pv NAME, its finalizers away, and kubectl delete pv NAME."""
    (volume,) = cluster.list("v1", "PersistentVolume", "")
    cluster.merge_patch(Reference.to(volume), {"metadata": {"finalizers": None}}, field_manager="somebody")
    cluster.delete(Reference.to(volume))


def tpu_node(cluster: KubeClient) -> Object:
    """Give the TPU node."""
    nodes = cluster.list("v1", "Node", "")
    return next(node for node in nodes if "google.com/tpu" in node["status"].get("capacity", {}))


def until(look: Callable[[], object], seconds: float = 15) -> None:
    """Look until something is so."""
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def offer_chips(place: Place, chips: int) -> None:
    """Have the TPU node offer so many, as its device plugin does: kubectl patch node --subresource=status."""
    with place.cluster() as cluster:
        name = tpu_node(cluster)["metadata"]["name"]
    variables = place.loaded.variables
    found = place.cloud.get(
        f"/v1/projects/{variables.project}/locations/{variables.cluster.location}"
        f"/clusters/{variables.cluster.name}"
    )
    with tempfile.NamedTemporaryFile() as certificate:
        certificate.write(base64.b64decode(found["masterAuth"]["clusterCaCertificate"]))
        certificate.flush()
        answer = requests.patch(
            f"https://{found['endpoint']}/api/v1/nodes/{name}/status",
            json={"status": {"allocatable": {"google.com/tpu": str(chips)}}},
            headers={
                "Authorization": f"Bearer {place.cloud.token}",
                "Content-Type": "application/merge-patch+json",
            },
            verify=certificate.name,
            timeout=30,
        )
    assert answer.ok, answer.text
