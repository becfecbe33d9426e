"""The guide's two manifests, filled in by hand and applied by the real kubectl to what `inv setup` made."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.guide_by_hand.guide import APPLY, GET_CREDENTIALS
from tests.guide_by_hand.typed import Typist, typist_at

pytestmark = [pytest.mark.clients, pytest.mark.slow]

BENCH = "kubectl apply -f vllm-benchmark.yaml"
AVAILABLE = "kubectl wait deployment/vllm-tpu --for=condition=Available --timeout=60s"
UNBIND = """kubectl patch persistentvolume vllm-pv --type=json -p \
'[{"op":"remove","path":"/spec/claimRef/uid"},{"op":"remove","path":"/spec/claimRef/resourceVersion"}]'"""


@pytest.fixture(scope="module")
def typist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typist]:
    """Somebody with a cluster, chips and the model in the bucket, whose kubectl reaches the cluster."""
    with typist_at(tmp_path_factory.mktemp("manifests")) as opened:
        ended = opened.operator.inv("setup")
        assert ended.code == 0, ended.out
        typed(opened, GET_CREDENTIALS)
        yield opened


def typed(typist: Typist, command: str) -> str:
    """Type a command that must end well; give what it prints."""
    ended = typist.types(command)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def told(typist: Typist, command: str, wanted: str) -> str:
    """Type a command until it prints something."""
    end = time.monotonic() + 30
    while wanted not in (printed := typed(typist, command)):
        assert time.monotonic() < end, printed
        time.sleep(0.2)
    return printed


def test_the_server_runs_and_the_benchmark_is_kept_off_by_the_taint(typist: Typist) -> None:
    typed(typist, APPLY)
    typed(typist, AVAILABLE)
    pod = typed(typist, "kubectl get pods -l app=vllm-tpu --no-headers").split()
    assert pod[2:4] == ["Running", "0"], pod
    assert "Application startup complete." in typed(typist, "kubectl logs deployment/vllm-tpu")
    assert typed(typist, BENCH) == "pod/vllm-bench created\n"
    described = told(typist, "kubectl describe pod vllm-bench", "FailedScheduling")
    assert "Status:           Pending" in described
    assert "1 node(s) had untolerated taint {google.com/tpu: present}" in described
    typed(typist, "kubectl delete -f vllm-benchmark.yaml")


def test_a_claim_that_was_deleted_alone_does_not_get_its_volume_back(typist: Typist) -> None:
    typed(typist, APPLY)
    typed(typist, AVAILABLE)
    typed(typist, "kubectl delete deployment vllm-tpu && kubectl delete persistentvolumeclaim vllm-pvc")
    told(typist, "kubectl get persistentvolume vllm-pv", "Released")
    again = typed(typist, APPLY)
    assert "persistentvolume/vllm-pv unchanged" in again
    assert "persistentvolumeclaim/vllm-pvc created" in again
    cause = 'volume "vllm-pv" already bound to a different claim.'
    described = told(typist, "kubectl describe persistentvolumeclaim vllm-pvc", cause)
    assert "Status:        Pending" in described
    told(typist, "kubectl describe pod -l app=vllm-tpu", "pod has unbound immediate PersistentVolumeClaims")
    typed(typist, UNBIND)
    typed(typist, AVAILABLE)


def test_a_run_names_the_conflicts_and_with_force_takes_the_running_server_over(typist: Typist) -> None:
    typed(typist, APPLY)
    typed(typist, AVAILABLE)
    refused = typist.operator.inv("deploy")
    assert refused.code == 1, refused.out
    assert 'conflict with "kubectl-client-side-apply"' in refused.out
    assert ".spec.strategy.rollingUpdate.maxSurge" in refused.out
    assert "kube.force=true" in refused.out
    taken_over = typist.operator.inv("deploy", "smoke", "--set", "kube.force=true")
    assert taken_over.code == 0, taken_over.out
    checked = typist.operator.inv("deploy", "--check")
    assert checked.recap["changed"] == 0, checked.out
