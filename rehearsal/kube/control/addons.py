"""What GKE's add-ons put into a cluster: the CSI driver, and the daemons in kube-system."""

from __future__ import annotations

from rehearsal.kube.api.defaults import set_defaults
from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.control.gcsfuse_webhook import DRIVER
from rehearsal.kube.facts import ClusterFacts

_METADATA_IMAGE = "gke.gcr.io/gke-metadata-server:20250921_2200_RC0"
_GCSFUSE_IMAGE = "gke.gcr.io/gcs-fuse-csi-driver:v1.21.4-gke.0"


def install_addons(store: Store, facts: ClusterFacts) -> None:
    """Make the objects of the add-ons what GKE says: those of an add-on that is off are not there."""
    metadata_nodes = [entry for entry in facts.nodes if entry.get("workload_metadata") == "GKE_METADATA"]
    _driver(store, facts.gcsfuse)
    _daemon(store, "gcsfusecsi-node", _GCSFUSE_IMAGE, len(facts.nodes) if facts.gcsfuse else None)
    _daemon(
        store, "gke-metadata-server", _METADATA_IMAGE, len(metadata_nodes) if facts.workload_pool else None
    )


def _driver(store: Store, wanted: bool) -> None:
    kind = kind_of("CSIDriver")
    present = store.get(kind, None, DRIVER)
    if wanted and present is None:
        driver: Object = {
            "metadata": {"name": DRIVER, "labels": {"addonmanager.kubernetes.io/mode": "Reconcile"}},
            "spec": {
                "attachRequired": False,
                "podInfoOnMount": True,
                "requiresRepublish": True,
                "fsGroupPolicy": "ReadWriteOnceWithFSType",
                "volumeLifecycleModes": ["Persistent", "Ephemeral"],
            },
        }
        set_defaults(kind, driver)
        store.create(kind, driver)
    elif present is not None and not wanted:
        store.delete(kind, None, DRIVER)


def _daemon(store: Store, name: str, image: str, nodes: int | None) -> None:
    """Write one DaemonSet that is up on a number of nodes; None takes it away."""
    kind = kind_of("DaemonSet")
    present = store.get(kind, "kube-system", name)
    if nodes is None:
        if present is not None:
            store.delete(kind, "kube-system", name)
        return
    daemon = present or store.create(kind, _daemon_set(name, image))
    counts = dict.fromkeys(
        ("currentNumberScheduled", "desiredNumberScheduled", "numberReady", "numberAvailable"), nodes
    )
    status = {**counts, "updatedNumberScheduled": nodes, "numberMisscheduled": 0}
    status["observedGeneration"] = daemon["metadata"]["generation"]
    store.update(kind, {**daemon, "status": status}, status_only=True)


def _daemon_set(name: str, image: str) -> Object:
    labels = {"k8s-app": name}
    daemon: Object = {
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": name, "image": image}]},
            },
        },
    }
    set_defaults(kind_of("DaemonSet"), daemon)
    return daemon
