"""Where the services answer: their official addresses, or those of the rehearsal in a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from runbook.engine.errors import Place, UserError

REHEARSAL_FILE = Path(".rehearsal") / "endpoints.json"
"""Below the home folder; the stand-in writes it when all of its listeners are up."""


@dataclass(frozen=True)
class Endpoints:
    """Base addresses, without a slash at the end.

    Args:
        container: the GKE API.
        service_usage: the Service Usage API.
        resource_manager: the Cloud Resource Manager API.
        compute: the Compute Engine API.
        quotas: the Cloud Quotas API.
        storage: Cloud Storage.
        hub: the Hugging Face hub.
        token_file: holds a bearer token for all but the hub; None where the operator's login gives it.
        ca_file: PEM of the authority that signs where GKE's DNS endpoints have public certificates.
        iam_credentials: the IAM Service Account Credentials API.
    """

    container: str = "https://container.googleapis.com"
    service_usage: str = "https://serviceusage.googleapis.com"
    resource_manager: str = "https://cloudresourcemanager.googleapis.com"
    compute: str = "https://compute.googleapis.com"
    quotas: str = "https://cloudquotas.googleapis.com"
    storage: str = "https://storage.googleapis.com"
    hub: str = "https://huggingface.co"
    token_file: Path | None = None
    ca_file: Path | None = None
    iam_credentials: str = "https://iamcredentials.googleapis.com"


def of_rehearsal(home: Path) -> Endpoints:
    """Read the addresses that the stand-in in `home` wrote.

    Args:
        home: the folder that holds .rehearsal/ (RUNBOOK_HOME).

    Raises:
        UserError: no stand-in has written them, or it is just writing.
    """
    path = home / REHEARSAL_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise UserError(
            "the rehearsal is not up", place=Place.in_file(path), remedy="run `inv rehearsal.up`"
        ) from error
    google: str = found["google"]
    token_file = Path(found["token_file"])
    ca_file = Path(found["ca_file"])
    return Endpoints(
        google, google, google, google, google, google, found["hub"], token_file, ca_file, google
    )
