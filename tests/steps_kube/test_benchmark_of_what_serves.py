"""A benchmark's document tells the server that was measured, where the variables tell another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.clients.kube.objects import Object
from runbook.engine.outcome import Status
from runbook.measurement.sweep import Sweep, SweepPoint, write_sweep
from runbook.steps.bench import sweeping, witness
from runbook.steps.bench.served import configuration, not_deployed, served_by
from tests.rehearsal.stand_in import eventually
from tests.steps_kube.deployment_place import BENCHMARK, DEPLOYMENT, Place, variables_with

FEW = ("bench.num_prompts=2", "bench.output_len=4")
OTHERWISE = (
    "server.flags.max-num-seqs=512",
    "server.image=vllm/vllm-tpu:next",
    "server.env.NEW=1",
    "server.compilation_cache=xla-cache",
    "bucket.role=roles/storage.objectUser",
    "bench.image=vllm/vllm-tpu:nightly-ironwood-20251217-baf570b-0cd5353",
)


@pytest.fixture(scope="module")
def serving(prepared: Place) -> Place:
    """Give the tests of this file one server."""
    prepared.with_settings("server.env.HF_TOKEN=hf_secret", "server.env.XLA_FLAGS=--one").deploy()
    return prepared


def measured(place: Place) -> dict[str, Any]:
    """Run a benchmark, which must be a measurement; give its document."""
    outcome = place.line(("bench.job", BENCHMARK), ("bench.result", {}), check=False)[-1]
    assert outcome.status is Status.OK, outcome.error
    text = (place.home / ".runs" / place.run_id / "bench.json").read_text()
    assert "hf_secret" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_what_ran_is_told_and_not_what_the_variables_say(run: Callable[..., Place]) -> None:
    place = run(*FEW, *OTHERWISE)
    found = measured(place)["fingerprint"]
    flags = run().loaded.variables.server.flags
    assert json.loads(found["server_flags"]) == flags
    assert flags["max-num-seqs"] == 256
    assert found["server_image"] == run().loaded.variables.server.image
    env = {"TPU_BACKEND_TYPE": "jax", "MODEL_IMPL_TYPE": "vllm", "HF_TOKEN": "***", "XLA_FLAGS": "--one"}
    assert json.loads(found["server_env"]) == env
    assert (found["replicas"], found["num_warmups"]) == (1, 0)
    (warning,) = place.voice.warnings
    assert warning.startswith("deployment/vllm-tpu is measured as it serves, not as the variables say: ")
    assert "server.flags.max-num-seqs is 256, not 512" in warning
    assert "server.env.NEW is absent, not 1" in warning
    assert "hf_secret" not in warning


def test_a_check_warns_too_and_changes_nothing(run: Callable[..., Place]) -> None:
    place = run(*OTHERWISE)
    before = place.writes()
    assert place.check("bench.job", **BENCHMARK).status is Status.WOULD_CHANGE
    assert "server.flags.max-num-seqs is 256, not 512" in place.voice.warnings[0]
    assert place.writes() == before


def test_a_pod_that_waits_all_the_time_serves_nothing(run: Callable[..., Place]) -> None:
    place = run(*FEW, "server.replicas=2", "prices.tpu_machine=10")
    place.patch(DEPLOYMENT, {"spec": {"replicas": 2}})  # there is one node
    try:
        eventually(lambda: len(pods(place)) == 2, 30)
        kept = measured(place)
        assert "server.replicas is 1, not 2" in place.voice.warnings[0]
    finally:
        place.patch(DEPLOYMENT, {"spec": {"replicas": 1}})
        eventually(lambda: len(pods(place)) == 1, 30)
    assert kept["fingerprint"]["replicas"] == 1
    rate = kept["result"]["output_throughput"]
    assert kept["derived"]["output_tokens_per_s_per_chip"] == pytest.approx(rate / 4)
    price = kept["derived"]["price_per_million_output_tokens"]
    assert price == pytest.approx(10 / 3600 / rate * 1e6)


def pods(place: Place) -> list[Object]:
    with place.cluster() as cluster:
        return list(cluster.list("v1", "Pod", "default", labels={"app": "vllm-tpu"}))


def test_variables_that_were_deployed_are_no_reason_to_warn() -> None:
    variables = variables_with(*OTHERWISE).variables
    args = ["--port=8000", "--served-model-name", "tiny"]
    args += [
        f"--{name}" if value is True else f"--{name}={value}"
        for name, value in variables.server.flags.items()
    ]
    cache = f"{variables.volume.mount_path}/$(MODEL_FOLDER_PATH)/xla-cache"
    env: list[Object] = [{"name": name, "value": value} for name, value in variables.server.env.items()]
    env += [{"name": "VLLM_XLA_CACHE_PATH", "value": cache}, {"name": "OF_THE_MANIFEST", "value": "tiny"}]
    spec = server(args, image=variables.server.image, env=env)
    assert list(not_deployed(variables, {"spec": {"template": {"spec": spec}}})) == []


def server(args: list[str], image: str = "vllm:1", env: list[Object] | None = None) -> Object:
    sidecar = {"name": "sidecar", "image": "sidecar:1", "args": ["--other=1"]}
    return {"containers": [sidecar, {"name": "vllm-tpu", "image": image, "args": args, "env": env or []}]}


def test_flags_are_read_in_each_way_of_writing_and_secrets_are_not() -> None:
    args = ["--seed", "7", "--load-format=x", "--rate=1e-05", "--fast", "--hf-token=s3cret", "--model=/m"]
    reference = {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "n", "key": "k"}}}
    env: list[Object] = [
        reference,
        {"name": "VLLM_MAX_TOKENS", "value": "9"},
        {"name": "MY_API_KEY", "value": "s3cret"},
    ]
    env += [{"name": "HTTPS_PROXY", "value": "http://me:s3cret@proxy:3128"}]
    found = configuration(server(args, env=env), "vllm-tpu")
    assert found.flags == {
        "seed": 7,
        "load-format": "x",
        "rate": 1e-05,
        "fast": True,
        "hf-token": "***",
    }
    assert found.env == {"FROM": "***", "VLLM_MAX_TOKENS": "9", "MY_API_KEY": "***", "HTTPS_PROXY": "***"}


def test_what_is_not_the_same_in_all_pods_is_not_known() -> None:
    def pod(*args: str) -> Object:
        return {"metadata": {"name": "p"}, "spec": server(list(args)), "status": {}}

    assert served_by([pod("--a"), pod("--b")], "vllm-tpu").fingerprint()["server_flags"] is None
    assert served_by([pod("--a"), pod("--a")], "vllm-tpu").replicas == 2
    assert served_by([], "vllm-tpu").fingerprint()["replicas"] is None


def test_pods_are_looked_at_whether_or_not_they_are_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def pod(name: str, restarts: int, **changed: Any) -> Object:
        status = {"phase": "Running", "containerStatuses": [{"name": "vllm-tpu", "restartCount": restarts}]}
        return {"metadata": {"name": name}, "spec": server([]), "status": status | changed}

    found = [pod("a", 2), pod("evicted", 0, phase="Failed"), pod("b", 0)]
    monkeypatch.setattr(witness, "server_pods", lambda _: found)
    seen = witness.look(None)  # type: ignore[arg-type]  # nothing is asked where no Pod is ready
    assert (seen.restarts, seen.unready, seen.counters) == ({"a": 2, "b": 0}, ("a", "b"), None)


def test_a_sweep_is_gone_on_with_where_the_same_server_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = SweepPoint(
        concurrency=1,
        document="x",
        num_prompts=4,
        output_throughput=1.0,
        attainment=1.0,
        attainment_low=0.5,
        attainment_high=1.0,
    )

    def begun(run_id: str, *args: str, setting: str = "server.replicas=1") -> Sweep:
        found = {"spec": {"template": {"spec": server(list(args))}}}
        monkeypatch.setattr(sweeping, "require_deployment", lambda _: found)
        variables = variables_with("slo.ttft_ms=9", setting).variables
        context = SimpleNamespace(home=tmp_path, run_id=run_id, environment="lab", variables=variables)
        return sweeping.begun(context)  # type: ignore[arg-type]  # it reads no more of a context than this

    left = begun("1", "--max-num-seqs=256").model_copy(update={"points": (point,)})
    write_sweep(left, tmp_path / ".runs" / "1" / "sweep.json")
    same = begun("2", "--max-num-seqs=256", setting="server.flags.max-num-seqs=512")
    assert same.points == (point,)
    assert begun("2", "--max-num-seqs=512").points == ()
