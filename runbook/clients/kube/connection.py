"""Ways to a cluster: GKE's endpoint with the operator's login, or a kubeconfig file."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.config import kube_config as kube_config_loader
from kubernetes.config.config_exception import ConfigException
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from runbook.clients.auth import fresh
from runbook.clients.kube.client import KubeClient
from runbook.clients.transport import is_loopback
from runbook.engine.errors import CredentialsError, Place, UserError

loader: Any = kube_config_loader  # without types
_TOKEN = "BearerToken"  # noqa: S105 - the name of a scheme


def connect(endpoint: str, ca_certificate: str | None, credentials: Any, folder: Path) -> KubeClient:
    """Reach a GKE cluster.

    Args:
        endpoint: `host` or `host:port`, as clusters.get answers it.
        ca_certificate: PEM of the authority that signed the API server's certificate; None: any public one,
            or those of REQUESTS_CA_BUNDLE, as for Google's other services.
        credentials: google-auth credentials; their token is renewed before it expires.
        folder: this project's own, for what is kept of the cluster.
    """
    configuration: Any = _configuration(f"https://{endpoint}")
    if ca_certificate is None:
        configuration.ssl_ca_cert = os.environ.get("REQUESTS_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    else:
        configuration.ca_cert_data = ca_certificate
    configuration.api_key_prefix = {_TOKEN: "Bearer"}
    renewing = threading.Lock()

    def renew(target: Configuration) -> None:
        with renewing:
            fresh(credentials)
            target.api_key[_TOKEN] = credentials.token

    # the hook runs only where a key is there already
    configuration.api_key = {_TOKEN: ""}
    configuration.refresh_api_key_hook = renew
    return KubeClient(ApiClient(configuration), folder)


def connect_kubeconfig(path: Path, context: str | None, folder: Path) -> KubeClient:
    """Reach the cluster of a kubeconfig file, by the login that it describes.

    Args:
        path: the file.
        context: its context; None: the current one.
        folder: this project's own, for what is kept of the cluster.

    Raises:
        CredentialsError: the login's plug-in is missing or gave nothing.
        UserError: there is no such file or context.
    """
    user = _user_of(path, context)
    _require_plugin(user, path)
    configuration = _configuration("https://localhost")
    # The loader only logs what fails, and goes on as nobody; that is checked below.
    logging.getLogger("kubernetes").setLevel(logging.CRITICAL)
    try:
        loader.load_kube_config(str(path), context=context, client_configuration=configuration)
    except ConfigException as error:
        raise CredentialsError(str(error), place=Place.in_file(path)) from error
    if is_loopback(configuration.host):
        configuration.proxy = None
    if _may_log_in(user) and not (configuration.api_key or configuration.cert_file or configuration.username):
        raise CredentialsError(
            "the login of the kubeconfig's user gave no token and no certificate", place=Place.in_file(path)
        )
    return KubeClient(ApiClient(configuration), folder)


def _configuration(host: str) -> Configuration:
    configuration = Configuration(host=host)
    if is_loopback(host):
        configuration.proxy = None
    configuration.connection_pool_maxsize = 16
    configuration.retries = urllib3.Retry(
        total=4,
        backoff_factor=0.2,
        backoff_jitter=0.2,
        status_forcelist=(429, 502, 503, 504),
        allowed_methods=("GET", "PATCH", "DELETE"),
        raise_on_status=False,
    )
    return configuration


def _user_of(path: Path, context: str | None) -> dict[str, Any]:
    try:
        contexts, current = loader.list_kube_config_contexts(str(path))
    except (ConfigException, FileNotFoundError) as error:
        raise UserError(
            f"no kubeconfig to read: {error}", place=Place.in_file(path), remedy="set kube.kubeconfig"
        ) from error
    named = {entry["name"]: entry for entry in contexts}
    chosen = named.get(context) if context else current
    if chosen is None:
        raise UserError(
            f"there is no context {context!r} in the kubeconfig",
            place=Place.in_file(path),
            remedy=f"set kube.context to one of {', '.join(sorted(named))}",
        )
    users = loader.KubeConfigMerger(str(path)).config["users"]
    user = users.get_with_name(chosen["context"]["user"], safe=True)
    if user is None or "user" not in user:
        return {}
    found: dict[str, Any] = user["user"].value
    return found


def _require_plugin(user: dict[str, Any], path: Path) -> None:
    command = (user.get("exec") or {}).get("command")
    if command and not shutil.which(command):
        raise CredentialsError(
            f"the kubeconfig's login needs {command}, which is not on the PATH",
            place=Place.in_file(path),
            remedy="gcloud components install gke-gcloud-auth-plugin"
            if command == "gke-gcloud-auth-plugin"
            else f"install {command}",
        )


def _may_log_in(user: dict[str, Any]) -> bool:
    return any(key in user for key in ("exec", "token", "tokenFile", "auth-provider", "client-certificate"))
