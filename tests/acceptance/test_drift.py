"""One thing is taken away through the stand-in's APIs; a check names just that, and a run mends just that."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

CLUSTER = "/v1/projects/rehearsal-project/locations/us-central1/clusters/rehearsal"
POOL = f"{CLUSTER}/nodePools/tpu7x-pool"
BUCKET = "/storage/v1/b/rehearsal-models"
SHARD = quote("gpt-oss-tiny/model-00003-of-00014.safetensors", safe="")
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/vllm-tpu"
SERVICE = "/api/v1/namespaces/default/services/vllm-service"


def kube(operator, method: str, path: str, body=None) -> dict[str, Any]:
    """Ask the cluster's API directly."""
    cluster = operator.google("GET", CLUSTER)
    authority = operator.home / "authority.pem"
    authority.write_bytes(base64.b64decode(cluster["masterAuth"]["clusterCaCertificate"]))
    token = Path(operator.home / ".rehearsal" / "token").read_text().strip()
    answer = requests.request(
        method,
        f"https://{cluster['endpoint']}{path}",
        json=body,
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json",
        },
        verify=str(authority),
        timeout=30,
    )
    assert answer.ok, answer.text
    return answer.json()


def gcsfuse_off(operator):
    update = {"desiredAddonsConfig": {"gcsFuseCsiDriverConfig": {"enabled": False}}}
    operator.google("PUT", CLUSTER, {"update": update})


def load_balancing_off(operator):
    operator.google(
        "PUT", CLUSTER, {"update": {"desiredAddonsConfig": {"httpLoadBalancing": {"disabled": True}}}}
    )


def gateway_off(operator):
    update = {"desiredGatewayApiConfig": {"channel": "CHANNEL_DISABLED"}}
    operator.google("PUT", CLUSTER, {"update": update})


def metadata_mode_lost(operator):
    operator.google("PUT", POOL, {"workloadMetadataConfig": {"mode": "GCE_METADATA"}})


def pool_gone(operator):
    operator.google("DELETE", POOL)


def object_gone(operator):
    operator.google("DELETE", f"{BUCKET}/o/{SHARD}")


def object_with_other_bytes(operator):
    name = quote("gpt-oss-tiny/model-00003-of-00014.safetensors", safe="")
    operator.google("POST", f"/upload{BUCKET}/o?uploadType=media&name={name}", {"other": "bytes"})


def member_gone(operator):
    policy = operator.google("GET", f"{BUCKET}/iam?optionsRequestedPolicyVersion=3")
    policy["bindings"] = [item for item in policy["bindings"] if item["role"] != "roles/storage.objectViewer"]
    operator.google("PUT", f"{BUCKET}/iam", policy)


def deployment_scaled(operator):
    kube(operator, "PATCH", DEPLOYMENT, {"spec": {"replicas": 0}})


def service_exposed(operator):
    kube(operator, "PATCH", SERVICE, {"spec": {"type": "LoadBalancer"}})


def claim_gone(operator):
    kube(operator, "PATCH", DEPLOYMENT, {"spec": {"replicas": 0}})
    claims = kube(operator, "GET", "/api/v1/namespaces/default/persistentvolumeclaims")
    name = claims["items"][0]["metadata"]["name"]
    kube(operator, "DELETE", f"/api/v1/namespaces/default/persistentvolumeclaims/{name}")
    kube(operator, "PATCH", DEPLOYMENT, {"spec": {"replicas": 1}})


@pytest.mark.parametrize(
    ("take_away", "section", "named"),
    [
        pytest.param(gcsfuse_off, "2.3.4", r"gcsFuseCsiDriverConfig\.enabled", marks=pytest.mark.slow),
        pytest.param(load_balancing_off, "2.3.2", r"httpLoadBalancing\.disabled", marks=pytest.mark.slow),
        pytest.param(gateway_off, "2.3.3", r"gatewayApiConfig\.channel", marks=pytest.mark.slow),
        pytest.param(metadata_mode_lost, "2.3.1", r"node-pool/tpu7x-pool\.", marks=pytest.mark.slow),
        pytest.param(pool_gone, "2.4", r"node-pool/tpu7x-pool", marks=pytest.mark.slow),
        pytest.param(object_gone, "3.2.3", r"model-00003-of-00014\.safetensors", marks=pytest.mark.slow),
        (object_with_other_bytes, "3.2.3", r"model-00003-of-00014\.safetensors"),
        pytest.param(member_gone, "3.3", r"roles/storage\.objectViewer", marks=pytest.mark.slow),
        (deployment_scaled, "4.3", r"deployment/vllm-tpu\.spec\.replicas"),
        pytest.param(service_exposed, "4.3", r"service/vllm-service\.spec\.", marks=pytest.mark.slow),
        (claim_gone, "4.3", r"persistentvolume(claim)?/"),
    ],
)
def test_drift_is_named_and_mended(converged, take_away, section, named):
    take_away(converged)
    checked = converged.inv("setup", "deploy", "--check")
    assert checked.code == 2, checked.out
    assert checked.status(section) == "would change"
    assert checked.recap["changed"] == 1, checked.out
    differences = re.findall(r"^ {9}(\S.*?): .* -> ", checked.out, re.MULTILINE)
    assert differences, checked.out
    assert [path for path in differences if not re.search(named, path)] == [], checked.out
    mended = converged.inv("setup", "deploy", "--yes")
    assert mended.code == 0, mended.out + mended.error
    assert mended.status(section) == "changed"
    assert mended.recap["changed"] == 1, mended.out
    assert converged.inv("setup", "deploy", "--check").code == 0
