"""5.3 and 6.1: nothing of deploy and bench is left, and nothing else is touched."""

from __future__ import annotations

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.outcome import Status
from tests.steps_kube.deployment_place import BENCHMARK, TEMPLATES, Place

KINDS = (
    ("batch/v1", "Job"),
    ("apps/v1", "Deployment"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
)


def left(place: Place) -> list[str]:
    return [reference.short for kind in KINDS for reference in place.of_kind(*kind)]


def test_the_server_and_the_benchmarks_of_all_runs_go(deployed: Place) -> None:
    deployed.line(("bench.job", BENCHMARK), ("bench.result", {}), check=False)
    deployed.with_settings(run_id="20261123-160000-beef").apply("bench.job", **BENCHMARK)
    changed = deployed.converges("kube.absent", **TEMPLATES)
    kinds = list(dict.fromkeys(path.partition("/")[0] for path in changed))
    volumes = ["persistentvolumeclaim", "persistentvolume"]
    assert kinds == ["job", "service", "deployment", *volumes, "configmap"]
    assert len(changed) == 7
    assert left(deployed) == []


def test_volumes_of_another_bucket_go_too(deployed: Place) -> None:
    stale: Object = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": "vllm-pv-00000000",
            "labels": {"app.kubernetes.io/managed-by": "runbook", "runbook/environment": "rehearsal"},
        },
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "capacity": {"storage": "64Gi"},
            "storageClassName": "gcsfuse-sc",
            "csi": {"driver": "gcsfuse.csi.storage.gke.io", "volumeHandle": "elsewhere"},
        },
    }
    deployed.claim_field(stale, manager="runbook")
    assert "persistentvolume/vllm-pv-00000000" in deployed.converges("kube.absent", **TEMPLATES)


def test_what_is_not_ours_stays(deployed: Place) -> None:
    name = {"name": "theirs", "namespace": "default"}
    ports = [{"port": 80, "protocol": "TCP"}]
    service: Object = {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": {"ports": ports}}
    deployed.claim_field(service, manager="somebody")
    deployed.converges("kube.absent", **TEMPLATES)
    theirs = Reference("v1", "Service", "default", "theirs")
    assert deployed.get(theirs) is not None
    deployed.delete(theirs)


def test_where_nothing_is_there_nothing_is_done(place: Place, empty: Place) -> None:
    before = place.writes()
    assert place.apply("kube.absent", **TEMPLATES).status is Status.OK
    assert place.writes() == before
    outcome = empty.apply("kube.absent", **TEMPLATES)
    assert (outcome.status, outcome.reason) == (Status.OK, "there is no cluster")
