"""4.3: the objects are as rendered, from wherever one starts, and the server answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.clients.kube.objects import Reference
from runbook.engine.errors import ConflictError
from runbook.engine.outcome import Status
from runbook.steps.kube import exposure
from tests.steps_kube.deployment_place import DEPLOYMENT, SERVER, SERVICE, TEMPLATES, Place, paths


def volume_and_claim(place: Place) -> tuple[Reference, Reference]:
    return place.of_kind("v1", "PersistentVolume")[0], place.of_kind("v1", "PersistentVolumeClaim")[0]


def test_from_nothing_every_object_is_made_and_the_server_answers(place: Place) -> None:
    changed = place.converges("kube.apply", **SERVER)
    kinds = [path.partition("/")[0] for path in changed]
    assert kinds == ["configmap", "persistentvolume", "persistentvolumeclaim", "deployment", "service"]
    deployment = place.get(DEPLOYMENT)
    assert deployment is not None
    assert deployment["status"]["availableReplicas"] == 1


def test_converged_it_costs_a_read_for_each_object_and_one_for_their_set(deployed: Place) -> None:
    deployed.cloud.control("DELETE", "requests")
    outcome = deployed.check("kube.apply", **SERVER)
    assert (outcome.status, outcome.reason) == (Status.OK, "vllm-tpu: 1 of 1 Pods ready")
    assert deployed.asked() == ["GET"] * 5


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503, "times": 2},
        pytest.param({"kind": "status", "status": 429, "retry_after": 1}, marks=pytest.mark.slow),
        {"kind": "reset"},
        pytest.param({"kind": "truncate", "bytes": 20}, marks=pytest.mark.slow),
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}".strip(),
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_what_passes_by_itself_is_tried_again(deployed: Place, fault: dict[str, Any], method: str) -> None:
    deployed.patch(DEPLOYMENT, {"spec": {"replicas": 0}})
    deployed.cloud.control("POST", "faults", {"api": "kubernetes", "method": method, **fault})
    outcome = deployed.apply("kube.apply", **SERVER)
    assert deployed.cloud.control("DELETE", "faults") is not None
    assert outcome.error is None, outcome.error
    assert paths(outcome.changes) == ["deployment/vllm-tpu.spec.replicas"]


def test_a_scaled_deployment_is_scaled_back(deployed: Place) -> None:
    deployed.patch(DEPLOYMENT, {"spec": {"replicas": 0}})
    (change,) = deployed.check("kube.apply", **SERVER).changes
    assert change.warning == "somebody changed this; it is taken back"
    assert deployed.converges("kube.apply", **SERVER) == ["deployment/vllm-tpu.spec.replicas"]


def test_another_service_type_is_named_and_mended(deployed: Place) -> None:
    deployed.patch(SERVICE, {"spec": {"type": "LoadBalancer"}})
    changed = deployed.converges("kube.apply", **SERVER)
    assert "service/vllm-service.spec.type" in changed
    assert all(path.startswith("service/vllm-service.spec.") for path in changed)
    service = deployed.get(SERVICE)
    assert service is not None
    assert service["spec"]["type"] == "ClusterIP"


def test_a_deleted_service_is_made_again(deployed: Place) -> None:
    deployed.delete(SERVICE)
    assert deployed.converges("kube.apply", **SERVER) == ["service/vllm-service"]


def test_a_claim_deleted_under_a_running_pod_is_made_again_and_bound(deployed: Place) -> None:
    volume, claim = volume_and_claim(deployed)
    deployed.delete(claim)
    changed = deployed.converges("kube.apply", **SERVER)
    assert changed == [claim.short, claim.short, f"{volume}.spec.claimRef.uid"]
    bound = deployed.get(claim)
    assert bound is not None
    assert bound["status"]["phase"] == "Bound"


def test_a_claim_that_is_gone_is_made_again_and_its_released_volume_mended(place: Place) -> None:
    stopped = place.with_settings("server.replicas=0")
    stopped.deploy()
    volume, claim = volume_and_claim(stopped)
    stopped.delete(claim)
    changed = stopped.converges("kube.apply", **SERVER)
    assert changed == [claim.short, f"{volume}.spec.claimRef.uid"]


def test_a_volume_deleted_under_its_claim_is_made_again_with_the_claim(deployed: Place) -> None:
    volume, claim = volume_and_claim(deployed)
    deployed.delete(volume)
    assert deployed.converges("kube.apply", **SERVER) == [claim.short, volume.short, claim.short]
    bound = deployed.get(claim)
    assert bound is not None
    assert bound["status"]["phase"] == "Bound"


def test_what_others_add_is_left_alone(deployed: Place) -> None:
    deployed.patch(DEPLOYMENT, {"metadata": {"annotations": {"team": "ours"}}})
    assert deployed.check("kube.apply", **SERVER).status is Status.OK


def test_a_changed_flag_rolls_the_server_over(deployed: Place) -> None:
    other = deployed.with_settings("server.flags.max-num-seqs=128")
    changed = other.converges("kube.apply", **SERVER)
    assert changed == ["deployment/vllm-tpu.spec.template.spec.containers[vllm-tpu].args[--max-num-seqs]"]


def test_a_field_that_another_tool_applies_is_a_conflict_unless_forced(deployed: Place) -> None:
    name = {"name": DEPLOYMENT.name, "namespace": DEPLOYMENT.namespace}
    wish = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": name, "spec": {"replicas": 0}}
    deployed.claim_field(wish, manager="autoscaler")
    outcome = deployed.check("kube.apply", **SERVER)
    assert isinstance(outcome.error, ConflictError)
    assert ".spec.replicas" in outcome.error.message
    assert "autoscaler" in outcome.error.message
    forced = deployed.with_settings("kube.force=true")
    assert forced.converges("kube.apply", **SERVER) == ["deployment/vllm-tpu.spec.replicas"]


def test_an_object_on_its_way_out_is_waited_for(deployed: Place) -> None:
    deployed.patch(SERVICE, {"metadata": {"finalizers": ["team/held"]}})
    deployed.delete(SERVICE)
    planned = deployed.check("kube.apply", **SERVER)
    assert paths(planned.changes) == ["service/vllm-service"]
    released: list[float] = []

    def pause(seconds: float) -> None:
        if not released:
            deployed.patch(SERVICE, {"metadata": {"finalizers": None}})
            released.append(seconds)

    waiting = Place(deployed.cloud, deployed.loaded, pause=pause)
    done = waiting.apply("kube.apply", **SERVER)
    assert (done.status, paths(done.changes)) == (Status.CHANGED, ["service/vllm-service"])


def with_key(place: Place, text: str, *settings: str) -> Place:
    key = place.home / "key"
    key.write_text(text)
    key.chmod(0o600)
    return place.with_settings(f"server.api_key={{file: {key}}}", *settings)


def secrets(changed: list[str]) -> list[str]:
    return [path for path in changed if path.startswith("secret/")]


def test_the_keys_secret_waits_for_its_namespace(place: Place) -> None:
    serving = with_key(place, "s3cret-key", "kube.namespace=serving", "server.replicas=0")
    planned = serving.check("kube.apply", **SERVER)
    kinds = [path.partition("/")[0] for path in paths(planned.changes)]
    assert kinds[:4] == ["configmap", "namespace", "secret", "persistentvolume"]


def test_a_key_is_kept_in_a_secret_and_never_shown_and_another_key_rolls_the_server_over(
    place: Place,
) -> None:
    changed = with_key(place, "s3cret-key").converges("kube.apply", **SERVER)
    (first,) = secrets(changed)
    planned = with_key(place, "an0ther-key").check("kube.apply", **SERVER)
    made, deleted = secrets(paths(planned.changes))
    assert deleted == first
    assert made != first
    assert "valueFrom.secretKeyRef.name" in str(paths(planned.changes))
    assert "s3cret" not in str(planned)
    assert "an0ther" not in str(planned)


@pytest.mark.clients
@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on this machine")
def test_the_keys_command_makes_the_same_secret_twice(deployed: Place) -> None:
    guarded = with_key(deployed, "s3cret-key")
    planned = guarded.check("kube.apply", **SERVER).changes
    change = next(change for change in planned if secrets(paths([change])))
    reference = Reference("v1", "Secret", "default", change.differences[0].path.partition("/")[2])
    for _ in range(2):
        typed = subprocess.run(change.command, input=b"s3cret-key", capture_output=True, check=False)
        assert typed.returncode == 0, typed.stderr
    made = deployed.get(reference)
    assert made is not None
    assert made["data"] == {"api-key": "czNjcmV0LWtleQ=="}
    assert reference in deployed.of_kind("v1", "Secret")
    assert not secrets(paths(guarded.check("kube.apply", **SERVER).changes))


def test_an_exposed_service_is_told_with_its_address(deployed: Place) -> None:
    exposed = deployed.with_settings("server.expose=internal")
    planned = exposed.check("kube.apply", **SERVER)
    assert planned.error is None
    assert "service/vllm-service: its address would be waited for" in planned.reason
    outcome = exposed.apply("kube.apply", **SERVER)
    assert outcome.error is None, outcome.error
    service = exposed.get(SERVICE)
    assert service is not None
    (ingress,) = service["status"]["loadBalancer"]["ingress"]
    assert outcome.reason.endswith(f"service/vllm-service: {ingress['ip']}:8000")


def address(place: Place) -> str:
    (ingress,) = (place.get(SERVICE) or {})["status"]["loadBalancer"]["ingress"]
    return str(ingress["ip"])


@pytest.fixture
def internal(place: Place) -> Iterator[Place]:
    """A Service without Pods with an internal address, and a cloud that takes its time for another."""
    exposed = place.with_settings("server.replicas=0", "server.expose=internal")
    exposed.deploy()
    assert address(exposed).startswith("10.")
    exposed.cloud.control("PUT", "settings", {"time_scale": 0.02})
    yield exposed
    exposed.cloud.control("PUT", "settings", {"time_scale": 0})


@pytest.fixture
def external(internal: Place, tmp_path: Path) -> Place:
    """The same server for the internet."""
    key = tmp_path / "key"
    key.write_text("s3cret-key")
    return internal.with_settings(
        "server.replicas=0",
        "server.expose=external",
        "server.source_ranges=[203.0.113.0/24]",
        f"server.api_key={{file: {key}}}",
    )


def test_a_service_that_is_exposed_otherwise_leaves_its_old_address(internal: Place, external: Place) -> None:
    old = address(internal)
    assert "would be waited for" in external.check("kube.apply", **SERVER).reason
    outcome = external.apply("kube.apply", **SERVER)
    assert outcome.error is None, outcome.error
    assert address(external).startswith("203.0.113.")
    assert outcome.reason.endswith(f"service/vllm-service: {address(external)}:8000")
    assert any(f"still has its old address {old}:8000" in told for told in external.voice.conditions)


def test_an_address_that_stays_is_told_as_the_old_one(
    external: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposure, "_OLD_SECONDS", 0.2)
    external.cloud.control("PUT", "settings", {"time_scale": 1})
    outcome = external.apply("kube.apply", **SERVER)
    assert outcome.error is None, outcome.error
    assert "8000, as before: no load balancer of the other kind was made" in outcome.reason


ACCOUNT = Reference("v1", "ServiceAccount", "default", "vllm")


def test_a_service_account_that_somebody_made_is_used_and_stays(place: Place) -> None:
    name = {"name": ACCOUNT.name, "namespace": ACCOUNT.namespace}
    place.claim_field({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name}, manager="somebody")
    theirs = place.with_settings("kube.service_account=vllm", "server.replicas=0")
    changed = theirs.converges("kube.apply", **SERVER)
    assert ACCOUNT.short not in changed
    theirs.converges("kube.absent", **TEMPLATES)
    assert theirs.get(ACCOUNT) is not None
    place.delete(ACCOUNT)


def test_a_service_account_that_was_made_here_goes_too(place: Place) -> None:
    ours = place.with_settings("kube.service_account=vllm", "server.replicas=0")
    assert ACCOUNT.short in ours.converges("kube.apply", **SERVER)
    ours.converges("kube.absent", **TEMPLATES)
    assert ours.get(ACCOUNT) is None


def test_other_mount_options_are_another_volume_and_so_reach_the_pods(deployed: Place) -> None:
    other = deployed.with_settings("volume.mount_options=[implicit-dirs]")
    changed = [path for path in other.converges("kube.apply", **SERVER) if not path.startswith("configmap/")]
    kinds = [path.partition("/")[0] for path in changed]
    made, deleted = (
        ["persistentvolume", "persistentvolumeclaim"],
        ["persistentvolumeclaim", "persistentvolume"],
    )
    assert kinds == [*made, "deployment", *deleted]
