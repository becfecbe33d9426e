"""A check of the whole line on an empty cloud plans on with what earlier steps would make."""

from __future__ import annotations

from runbook.engine.outcome import Status
from tests.steps_kube.deployment_place import BENCHMARK, RENDERED, SERVER, SETUP, Place, paths


def test_every_object_is_planned_and_what_cannot_be_known_says_so(empty: Place) -> None:
    steps = [
        *((uses, {}) for uses in SETUP),
        ("kube.credentials", {}),
        ("kube.render", RENDERED),
        ("kube.apply", SERVER),
        ("kube.forward", {}),
        ("serving.completion", {}),
        ("bench.job", BENCHMARK),
        ("bench.result", {}),
    ]
    outcomes = dict(zip([uses for uses, _ in steps], empty.line(*steps, check=True), strict=True))
    assert empty.writes() == []
    unknown = {uses: one.reason for uses, one in outcomes.items() if one.status is Status.UNKNOWN}
    assert unknown == {
        "kube.credentials": "gke.cluster",
        "kube.forward": "kube.apply",
        "serving.completion": "kube.apply",
        "bench.result": "bench.job",
    }
    kinds = [path.partition("/")[0] for path in paths(outcomes["kube.apply"].changes)]
    assert kinds == ["configmap", "persistentvolume", "persistentvolumeclaim", "deployment", "service"]
    assert paths(outcomes["bench.job"].changes) == ["job/vllm-bench-20261123-154200-1a2b"]
    assert outcomes["kube.render"].status is Status.WOULD_CHANGE
