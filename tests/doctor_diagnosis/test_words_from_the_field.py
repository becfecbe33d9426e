"""Other words for the same symptoms, as they are known from issues and manuals, and who must say them."""

from __future__ import annotations

import pytest

from runbook.doctor.diagnosis.naming import named
from runbook.doctor.diagnosis.snapshot import Snapshot
from runbook.steps.symptoms.evidence import Evidence, Source
from tests.steps_kube.deployment_place import variables_with

FIELD = [
    (
        1,
        Source.EVENT,
        'FailedMount: MountVolume.MountDevice failed for volume "v" : kubernetes.io/csi: attacher failed'
        " to create newCsiDriverClient: driver name gcsfuse.csi.storage.gke.io not found in the list of"
        " registered CSI drivers",
    ),
    (4, Source.EVENT, "googleapi: Error 403: x@y does not have storage.buckets.get access to the bucket"),
    (
        5,
        Source.EVENT,
        "code = NotFound desc = failed to get GCS bucket: The specified bucket does not exist.",
    ),
    (
        8,
        Source.EVENT,
        "code = ResourceExhausted desc = the sidecar container failed with error: signal: killed",
    ),
    (8, Source.STATUS, "gke-gcsfuse-sidecar: OOMKilled, exit code: 137"),
    (9, Source.LOG, "ls: cannot access '/model-vol-mount': Transport endpoint is not connected"),
    (
        11,
        Source.EVENT,
        "code = Aborted desc = NodePublishVolume request is aborted due to rate limit: 5 requests",
    ),
    (20, Source.RUN, "TPU topology can't be specified with single-host TPU slice pool; please remove"),
    (23, Source.OPERATION, "Specified reservation r does not have enough resources for the request."),
    (24, Source.OPERATION, "Instance creation failed: reason: stockout"),
    (24, Source.OPERATION, "ZONE_RESOURCE_POOL_EXHAUSTED: us-central1-c"),
    (27, Source.LOG, "The TPU is already in use by process with pid 4711. Not attempting to load libtpu.so"),
    (
        28,
        Source.LOG,
        "RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm:"
        " HBM of 95.74G exceeded",
    ),
    (29, Source.READY_LOG, "Total time to load model weights from storage to TPU: 3450.52 seconds."),
    (29, Source.LOG, "Total time to load model weights from storage to TPU: 1450 seconds."),
    (32, Source.REFUSAL, 'Required "container.clusters.get" permission(s) for "projects/p".'),
    (32, Source.RUN, "Permission 'container.clusters.update' denied on resource"),
    (33, Source.RUN, "exec: executable gke-gcloud-auth-plugin not found"),
]
ELSEWHERE = [
    (Source.READY_LOG, "RESOURCE_EXHAUSTED: Error allocating device buffer, which was tried again; HBM"),
    (Source.STATUS, "vllm-tpu: OOMKilled, exit code: 137"),
    (Source.LOG, "RESOURCE_EXHAUSTED of a request that a client sent"),
    (Source.LOG, "Total time to load model weights from storage to TPU: 25.35 seconds."),
    (Source.LOG, "Total time to load model weights from storage to TPU: 497.0 seconds."),
    (Source.EVENT, "Reservation does not have enough resources for the request"),
    (Source.SIDECAR, "Engine core initialization failed"),
    (Source.OPERATION, "GCE_QUOTA_EXCEEDED: Insufficient regional quota. RESOURCE_EXHAUSTED"),
]


def numbers(source: Source, text: str) -> list[int]:
    """The symptoms that one text alone makes the doctor name."""
    seen = Snapshot(variables_with().variables)
    return [symptom.number for symptom in named(seen, [Evidence(source, "somebody", text)])]


@pytest.mark.parametrize(("number", "source", "text"), FIELD)
def test_words_are_known(number: int, source: Source, text: str) -> None:
    assert numbers(source, text) == [number]


@pytest.mark.parametrize(("source", "text"), ELSEWHERE)
def test_words_that_mean_nothing_there(source: Source, text: str) -> None:
    assert numbers(source, text) == []
