"""The controller manager: all controllers of one cluster."""

from __future__ import annotations

from rehearsal.kube.api.store import Store
from rehearsal.kube.control.admission import Admission
from rehearsal.kube.control.autopilot import NodeProvisioning
from rehearsal.kube.control.control_loop import ControlLoop
from rehearsal.kube.control.custom_definitions import CustomDefinitions
from rehearsal.kube.control.deployments import Deployments
from rehearsal.kube.control.device_plugins import DevicePlugins
from rehearsal.kube.control.endpoints import Endpoints
from rehearsal.kube.control.events import EventExpiry, EventRecorder
from rehearsal.kube.control.garbage import GarbageCollector
from rehearsal.kube.control.jobs import Jobs
from rehearsal.kube.control.load_balancers import LoadBalancers
from rehearsal.kube.control.namespaces import Namespaces
from rehearsal.kube.control.node_leases import NodeLeases
from rehearsal.kube.control.nodes import PodCollector
from rehearsal.kube.control.pod_creation import PodsFromTemplates
from rehearsal.kube.control.replicasets import ReplicaSets
from rehearsal.kube.control.scheduler import Scheduler
from rehearsal.kube.control.volume_binding import PersistentVolumeClaims, PersistentVolumes
from rehearsal.kube.control.volume_protection import ClaimProtection, VolumeProtection
from rehearsal.kube.facts import ClusterFacts
from rehearsal.world import World


def controllers(
    store: Store, admission: Admission, facts: ClusterFacts, world: World, provisioning: NodeProvisioning
) -> ControlLoop:
    """Build the loop with every controller of a cluster.

    Args:
        admission: what Pods of controllers must pass.
        facts: which Nodes have which devices.
        world: for how durations pass.
        provisioning: makes Autopilot's nodes.
    """
    jobs, replica_sets = EventRecorder(store, "job-controller"), EventRecorder(store, "replicaset-controller")
    return ControlLoop(
        store,
        [
            Namespaces(store),
            CustomDefinitions(store),
            PersistentVolumes(store),
            PersistentVolumeClaims(store, EventRecorder(store, "persistentvolume-controller")),
            ClaimProtection(store),
            VolumeProtection(store),
            Deployments(store, EventRecorder(store, "deployment-controller"), world),
            ReplicaSets(store, PodsFromTemplates(store, admission, replica_sets)),
            Jobs(store, PodsFromTemplates(store, admission, jobs), jobs, world),
            NodeLeases(store),
            DevicePlugins(store, facts, world),
            PodCollector(store),
            GarbageCollector(store),
            Scheduler(store, EventRecorder(store, "default-scheduler")),
            provisioning,
            Endpoints(store),
            LoadBalancers(store, EventRecorder(store, "service-controller"), world),
            EventExpiry(store),
        ],
    )
