"""A variable of a running server changes: a check says what will happen, a run does that, and it answers."""

from __future__ import annotations

import pytest

from tests.changes.conftest import WHOLE, Server

POOL = "/v1/projects/rehearsal-project/locations/us-central1/clusters/rehearsal/nodePools/tpu7x-pool"
FLAG = "deployment/vllm-tpu.spec.template.spec.containers[vllm-tpu].args[--max-num-seqs]"


def test_a_flag_rolls_over_the_only_node(server: Server) -> None:
    assert FLAG in server.changes("server.flags.max-num-seqs=128").paths


@pytest.mark.slow
def test_another_port_is_the_servers_and_the_services(server: Server) -> None:
    paths = server.changes("server.port=8001").paths
    assert [path for path in paths if path.startswith("service/") and "port" in path]
    assert [path for path in paths if path.endswith("args[--port]")]


@pytest.mark.slow
def test_another_namespace_takes_the_server_along_and_back(server: Server) -> None:
    changed = server.changes("kube.namespace=serving", tasks=WHOLE)
    assert ("deployment/vllm-tpu", "there in namespace default", None) in changed.told
    assert ("service/vllm-service", "there in namespace default", None) in changed.told
    assert {"persistentvolume", "persistentvolumeclaim"} < {
        path.partition("/")[0] for path in changed.deleted
    }
    assert [loss for loss in changed.losses if "deployment/vllm-tpu in namespace default" in loss]
    back = server.changes(tasks=WHOLE)
    assert ("deployment/vllm-tpu", "there in namespace serving", None) in back.told


@pytest.mark.slow
def test_another_bucket_is_another_volume_and_the_old_one_goes(server: Server) -> None:
    changed = server.changes("bucket.name=other-models", tasks=WHOLE)
    kinds = [path.partition("/")[0] for path in changed.deleted]
    assert kinds.count("persistentvolume") == 1
    assert kinds.count("persistentvolumeclaim") == 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["server.image=vllm/vllm-tpu:v0.13.2"], "image"),
        (["server.served_model_names=[house/tiny]"], "args"),
        (["volume.mount_options=[implicit-dirs]"], "persistentvolume/"),
        (["volume.capacity=128Gi"], "persistentvolume/"),
        (["server.env.HOUSE=ours"], "env[HOUSE]"),
    ],
    ids=lambda value: value[0].partition("=")[0] if isinstance(value, list) else "",
)
@pytest.mark.slow
def test_what_only_the_pods_see_rolls_over(server: Server, settings: list[str], named: str) -> None:
    paths = server.changes(*settings).paths
    assert [path for path in paths if named in path], paths


@pytest.mark.slow
def test_another_folder_is_filled_and_mounted(server: Server) -> None:
    paths = server.changes("checkpoint.folder=elsewhere", tasks=WHOLE).paths
    assert [path for path in paths if path.endswith("env[MODEL_FOLDER_PATH].value")]


@pytest.mark.slow
def test_a_second_server_comes_to_a_second_node_and_goes_again(server: Server) -> None:
    server.operator.google("POST", f"{POOL}:setSize", {"nodeCount": 2})
    more = server.changes("server.replicas=2", "node_pool.nodes=2")
    assert ("deployment/vllm-tpu.spec.replicas", 1, 2) in more.told
    fewer = server.changes("node_pool.nodes=2")
    assert ("deployment/vllm-tpu.spec.replicas", 2, 1) in fewer.told
    server.operator.google("POST", f"{POOL}:setSize", {"nodeCount": 1})


@pytest.mark.slow
def test_exposed_with_a_key_and_back_without(server: Server) -> None:
    exposed = server.changes("server.expose=internal", "server.api_key={env: SERVER_KEY}")
    assert ("service/vllm-service.spec.type", "ClusterIP", "LoadBalancer") in exposed.told
    (secret,) = [path for path in exposed.paths if path.startswith("secret/vllm-tpu-api-key-")]
    back = server.changes()
    assert ("service/vllm-service.spec.type", "LoadBalancer", "ClusterIP") in back.told
    assert secret in back.deleted


@pytest.mark.slow
def test_other_names_replace_server_and_service(server: Server) -> None:
    changed = server.changes("server.name=house", "server.service=house")
    assert {"deployment/vllm-tpu", "service/vllm-service"} <= set(changed.deleted)
    assert len([loss for loss in changed.losses if "deployment/vllm-tpu" in loss]) == 1
    back = server.changes()
    assert {"deployment/house", "service/house"} <= set(back.deleted)


@pytest.mark.slow
def test_another_service_account_is_made_and_goes_again(server: Server) -> None:
    assert "serviceaccount/vllm" in server.changes("kube.service_account=vllm", tasks=WHOLE).paths
    assert "serviceaccount/vllm" in server.changes(tasks=WHOLE).deleted
