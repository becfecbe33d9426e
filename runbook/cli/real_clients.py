"""What points the real gcloud, kubectl, hf and curl at the stand-in."""

from __future__ import annotations

from pathlib import Path

from runbook.clients.rehearsal import StandIn
from runbook.config.schema import Variables


def exports(stand_in: StandIn, variables: Variables, kubeconfig: Path) -> dict[str, str]:
    """List environment variables for the real clients, and the guide's own names (section 2.1).

    Args:
        stand_in: it must be up.
        variables: of the environment that the guide's names are taken from.
        kubeconfig: the file that step 4.1 writes.
    """
    return _clients(stand_in, kubeconfig) | _guide(variables)


def _clients(stand_in: StandIn, kubeconfig: Path) -> dict[str, str]:
    endpoints = stand_in.endpoints or {}
    google = endpoints["google"]
    gcloud = stand_in.folder / "gcloud"
    gcloud.mkdir(mode=0o700, exist_ok=True)
    override = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
    return {
        f"{override}CONTAINER": f"{google}/",
        f"{override}SERVICEUSAGE": f"{google}/",
        f"{override}CLOUDRESOURCEMANAGER": f"{google}/",
        f"{override}COMPUTE": f"{google}/compute/v1/",
        f"{override}STORAGE": f"{google}/storage/v1/",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": endpoints["token_file"],
        "CLOUDSDK_CONFIG": str(gcloud),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "true",
        "KUBECONFIG": str(kubeconfig),
        "STORAGE_EMULATOR_HOST": google,
        "HF_ENDPOINT": endpoints["hub"],
        "HF_HOME": str(stand_in.folder / "huggingface"),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _guide(variables: Variables) -> dict[str, str]:
    return {
        "CLOUDSDK_CORE_PROJECT": variables.project,
        "PROJECT_ID": variables.project,
        "CLUSTER_NAME": variables.cluster.name,
        "REGION": variables.region,
        "ZONE": variables.zone,
        "NODEPOOL_NAME": variables.node_pool.name,
        "RESERVATION_NAME": variables.node_pool.reservation or "",
        "BUCKET": variables.bucket.name,
        "MODEL_FOLDER": variables.checkpoint.folder,
    }
