"""Pods: containers as local processes, their restarts, probes, configuration and end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.world import Settings
from tests.kube_control.kube_stand_in import Json, Kube, StandIn, condition, facts, gone, phase, wait

SERVER = """
import http.server, json, os, pathlib, sys
ports = json.load(open(os.environ["REHEARSAL_CONTAINER"]))["ports"]

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        well = self.path != "/health" or not pathlib.Path(os.environ["FOLDER"], "ill").exists()
        self.send_response(200 if well else 503)
        self.end_headers()
        self.wfile.write(os.environ["HOSTNAME"].encode())

    def log_message(self, *args):
        pass

http.server.HTTPServer(("127.0.0.1", ports["8000"]), Handler).serve_forever()
"""


def pod(name: str, *command: str, spec: Json | None = None, **container: Any) -> Json:
    main = {"name": "main", "image": "busybox:1.37", "command": list(command), **container}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [main], "terminationGracePeriodSeconds": 1, **(spec or {})},
    }


def state(kube: Kube, name: str, container: int = 0) -> Json:
    found = kube.get("Pod", name) or {}
    entries: list[Json] = found.get("status", {}).get("containerStatuses") or [{"state": {}}]
    return entries[container]


def waiting_for(kube: Kube, name: str, reason: str) -> Json:
    return wait(
        lambda: state(kube, name),
        until=lambda entry: entry["state"].get("waiting", {}).get("reason") == reason,
    )


def test_output_is_the_log_and_the_exit_code_decides_the_phase(kube: Kube) -> None:
    kube.apply(pod("good", "sh", "-c", "echo out; echo err >&2", spec={"restartPolicy": "Never"}))
    kube.apply(pod("bad", "sh", "-c", "exit 3", spec={"restartPolicy": "Never"}))
    kube.wait("Pod", "good", until=phase("Succeeded"))
    assert kube.log("good") == "out\nerr\n"
    kube.wait("Pod", "bad", until=phase("Failed"))
    assert state(kube, "bad")["state"]["terminated"]["exitCode"] == 3


def test_a_signal_shows_as_128_and_its_number(kube: Kube) -> None:
    kube.apply(pod("killed", "sh", "-c", "kill -KILL $$$$", spec={"restartPolicy": "Never"}))
    kube.wait("Pod", "killed", until=phase("Failed"))
    assert state(kube, "killed")["state"]["terminated"]["exitCode"] == 137


def test_a_container_that_ends_is_started_again_and_its_last_log_kept(kube: Kube) -> None:
    kube.apply(pod("again", "sh", "-c", "echo run; exit 1"))
    entry = waiting_for(kube, "again", "CrashLoopBackOff")
    assert entry["lastState"]["terminated"]["exitCode"] == 1
    assert (
        "back-off 10s restarting failed container=main pod=again_default("
        in (entry["state"]["waiting"]["message"])
    )
    wait(lambda: state(kube, "again")["restartCount"], until=lambda count: count >= 2)
    assert kube.log("again", previous="true") == "run\n"
    assert any(
        "Back-off restarting failed container main" in text for text in kube.events("again", "BackOff")
    )


def test_a_program_that_is_not_there_is_a_start_error(kube: Kube) -> None:
    kube.apply(pod("nothing", "no-such-program", spec={"restartPolicy": "Never"}))
    kube.wait("Pod", "nothing", until=phase("Failed"))
    ended = state(kube, "nothing")["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)
    assert ended["message"].endswith('exec: "no-such-program": executable file not found in $PATH')


def test_an_image_that_the_registry_lacks_is_never_pulled(kube: Kube) -> None:
    kube.apply(pod("pull", "true", image="example.com/missing:1"))
    waiting_for(kube, "pull", "ImagePullBackOff")
    assert any("failed to resolve reference" in text for text in kube.events("pull", "Failed"))
    kube.apply(pod("name", "true", image="Not An Image"))
    waiting_for(kube, "name", "InvalidImageName")


def test_environment_from_everywhere_and_references_in_the_command(kube: Kube) -> None:
    kube.apply({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "red"},
    })  # fmt: skip
    kube.apply({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"token": "abc"},
    })  # fmt: skip
    env = [
        {"name": "MODEL", "value": "gpt"},
        {"name": "MODEL_PATH", "value": "/models/$(MODEL)"},
        {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "key", "key": "token"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
    ]
    args = ["$(MODEL_PATH)", "$(UNKNOWN)", "$$(MODEL)", "$(COLOUR)", "$(TOKEN)", "$(POD)", "$(APP)"]
    kube.apply(pod("env", "echo", args=args, env=env, spec={"restartPolicy": "Never"}))
    kube.wait("Pod", "env", until=phase("Succeeded"))
    assert kube.log("env") == "/models/gpt $(UNKNOWN) $(MODEL) red abc env env\n"


def test_a_container_waits_for_configuration_that_is_missing(kube: Kube) -> None:
    env = [{"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}}]
    kube.apply(pod("waits", "echo", "ran", env=env, spec={"restartPolicy": "Never"}))
    entry = waiting_for(kube, "waits", "CreateContainerConfigError")
    assert entry["state"]["waiting"]["message"] == 'configmap "settings" not found'


def test_init_containers_run_one_after_another_before_the_others(kube: Kube) -> None:
    volumes = [{"name": "shared", "emptyDir": {}}]
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    init = [
        {
            "name": name,
            "image": "busybox:1",
            "command": ["sh", "-c", f"echo {name} >> /shared/order"],
            "volumeMounts": mounts,
        }
        for name in ("first", "second")
    ]
    spec = {"initContainers": init, "volumes": volumes, "restartPolicy": "Never"}
    kube.apply(pod("init", "cat", "/shared/order", volumeMounts=mounts, spec=spec))
    kube.wait("Pod", "init", until=phase("Succeeded"))
    assert kube.log("init") == "first\nsecond\n"


def test_an_init_container_that_fails_fails_the_pod(kube: Kube) -> None:
    init = [{"name": "bad", "image": "busybox:1", "command": ["false"]}]
    kube.apply(pod("init", "true", spec={"initContainers": init, "restartPolicy": "Never"}))
    kube.wait("Pod", "init", until=phase("Failed"))


@pytest.mark.parametrize(("code", "end"), [(0, "Succeeded"), (3, "Failed")])
def test_a_pod_has_its_last_phase_when_its_sidecars_have_ended_too(kube: Kube, code: int, end: str) -> None:
    lingering = "trap 'sleep 0.5; exit 0' TERM; while :; do sleep 0.05; done"
    sidecar = {"name": "proxy", "image": "busybox:1", "command": ["sh", "-c", lingering]}
    spec = {"initContainers": [sidecar | {"restartPolicy": "Always"}], "restartPolicy": "Never"}
    kube.apply(pod("served", "sh", "-c", f"exit {code}", spec=spec))
    wait(lambda: state(kube, "served"), until=lambda entry: "terminated" in entry["state"])
    assert phase("Running")(kube.get("Pod", "served"))
    found = kube.wait("Pod", "served", until=phase(end))
    (ended,) = found["status"]["initContainerStatuses"]
    assert ended["state"]["terminated"]["exitCode"] == 0


def test_a_pod_is_ready_when_its_probe_says_so(kube: Kube, tmp_path: Path) -> None:
    probe = {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 1, "failureThreshold": 2}
    ports = [{"name": "http", "containerPort": 8000}]
    env = [{"name": "FOLDER", "value": str(tmp_path)}]
    ill = tmp_path / "ill"
    ill.touch()
    kube.apply(pod("server", "python3", "-c", SERVER, ports=ports, env=env, readinessProbe=probe))
    wait(lambda: kube.events("server", "Unhealthy"))
    wait(lambda: "Readiness probe failed: HTTP probe failed with statuscode: 503" in kube.events("server"))
    assert not condition("Ready")(kube.get("Pod", "server"))
    ill.unlink()
    kube.wait("Pod", "server", until=condition("Ready"))
    ill.touch()
    kube.wait("Pod", "server", until=condition("Ready", "False", "ContainersNotReady"))


def test_a_failing_liveness_probe_restarts_the_container(kube: Kube) -> None:
    probe = {"tcpSocket": {"port": 8000}, "periodSeconds": 1, "failureThreshold": 1}
    ports = [{"containerPort": 8000}]
    kube.apply(pod("deaf", "sleep", "100", ports=ports, livenessProbe=probe))
    wait(lambda: state(kube, "deaf"), until=lambda entry: entry.get("restartCount", 0) >= 1)
    assert "Container main failed liveness probe, will be restarted" in kube.events("deaf", "Killing")
    (text,) = kube.events("deaf", "Unhealthy")
    assert text.startswith("Liveness probe failed: dial tcp 10.8.")
    assert text.endswith(":8000: connect: connection refused")


def test_the_startup_probe_comes_before_the_others(kube: Kube, tmp_path: Path) -> None:
    startup = {
        "exec": {"command": ["cat", str(tmp_path / "up")]},
        "periodSeconds": 1,
        "failureThreshold": 100,
    }
    kube.apply(pod("slow", "sleep", "100", startupProbe=startup))
    wait(lambda: kube.events("slow", "Unhealthy"))
    assert state(kube, "slow")["started"] is False
    (tmp_path / "up").touch()
    kube.wait("Pod", "slow", until=condition("Ready"))


def test_a_real_engine_has_as_long_to_start_as_its_manifest_says(stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    stand_in.world.settings = Settings(engine="vllm", vllm_environment=str(tmp_path))
    kube = stand_in.create(facts())
    up = tmp_path / "up"
    startup = {"exec": {"command": ["cat", str(up)]}, "periodSeconds": 3, "failureThreshold": 2}
    kube.apply(pod("slow", "sh", "-c", f"sleep 2; touch {up}; sleep 100", startupProbe=startup))
    kube.wait("Pod", "slow", until=condition("Ready"))
    assert state(kube, "slow")["restartCount"] == 0


def test_deleting_a_pod_ends_all_of_its_processes(kube: Kube) -> None:
    kube.apply(pod("family", "sh", "-c", "sleep 1000 & echo $! ; trap '' TERM; wait; wait"))
    kube.wait("Pod", "family", until=condition("Ready"))
    child = int(wait(lambda: kube.log("family")))
    os.kill(child, 0)
    kube.delete("Pod", "family")
    found = kube.get("Pod", "family")
    assert found is None or "deletionTimestamp" in found["metadata"]
    kube.wait("Pod", "family", until=gone)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_files_of_config_maps_and_secrets_are_mounted(kube: Kube) -> None:
    kube.apply({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "text"}, "data": {"a.txt": "hello\n"},
    })  # fmt: skip
    volumes = [
        {"name": "text", "configMap": {"name": "text"}},
        {"name": "key", "secret": {"secretName": "key"}},
    ]
    mounts = [{"name": "text", "mountPath": "/text"}, {"name": "key", "mountPath": "/key"}]
    spec = {"volumes": volumes, "restartPolicy": "Never"}
    kube.apply(pod("reader", "cat", "/text/a.txt", "/key/token", volumeMounts=mounts, spec=spec))
    wait(lambda: kube.events("reader", "FailedMount"))
    assert kube.events("reader", "FailedMount") == [
        'MountVolume.SetUp failed for volume "key" : secret "key" not found'
    ]
    kube.apply({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"token": "abc"},
    })  # fmt: skip
    kube.wait("Pod", "reader", until=phase("Succeeded"))
    assert kube.log("reader") == "hello\nabc"
