"""Ways to a cluster: GKE's endpoint with the operator's login, or a context of kubeconfig files."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from runbook.clients.kube.access import Access, environments_proxy
from runbook.clients.kube.exec_login import ExecLogin
from runbook.clients.kube.exec_plugin import GROUP, ExecPlugin, Waiting
from runbook.clients.kube.kubeconfig_context import Item, KubeContext, choose
from runbook.clients.kube.kubeconfig_remedies import of_kubeconfig
from runbook.clients.kube.logins import (
    GivenLogin,
    GoogleLogin,
    InTheNameOf,
    Login,
    TokenFileLogin,
    basic,
    bearer,
)
from runbook.clients.kube.tls import present, trusting, trusting_anybody, trusting_those_in
from runbook.engine.errors import CredentialsError, Place, UserError

PROXIES: Final = ("http", "https")
UNHEARD: Final = Waiting()


def to_gke(endpoint: str, ca_certificate: str | None, credentials: Any) -> Access:
    """Reach a GKE cluster.

    Args:
        endpoint: `host` or `host:port`, as clusters.get answers it.
        ca_certificate: PEM of the authority that signed the API server's certificate; None: any public one,
            or those of REQUESTS_CA_BUNDLE, a file or a folder, as for Google's other services.
        credentials: google-auth credentials; their token is renewed before it expires.
    """
    if ca_certificate is None:
        tls = trusting_those_in(Path(os.environ.get("REQUESTS_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH))
    else:
        tls = trusting(ca_certificate, Place(endpoint))
    server = f"https://{endpoint}"
    return Access(server, tls, GoogleLogin(credentials), proxy=environments_proxy(server))


def by_kubeconfig(files: Sequence[Path], context: str | None, waiting: Waiting = UNHEARD) -> Access:
    """Reach the cluster of a context, by the login that it describes.

    Args:
        files: the kubeconfig files.
        context: the context's name; None: the current one.
        waiting: for a login that takes long.

    Raises:
        CredentialsError: what the login is made of cannot be read.
        UserError: there is no such file or context, or it asks for what is not supported.
    """
    chosen = choose(files, context)
    server = _server(chosen.cluster)
    tls = _tls(chosen.cluster)
    return Access(
        server,
        tls,
        _in_whose_name(chosen.user, _login(chosen, tls, waiting)),
        server_name=str(chosen.cluster.content.get("tls-server-name") or "") or None,
        proxy=_proxy(chosen.cluster) or environments_proxy(server),
        remedies=of_kubeconfig(chosen),
    )


def _server(cluster: Item) -> str:
    server = str(cluster.content.get("server") or "").rstrip("/")
    parts = _parts(server)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError(f"the kubeconfig's server {server!r} is no address", place=cluster.place)
    return server


def _parts(address: str) -> SplitResult | None:
    """Take an address apart; None where it is none."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # it is read, and may be no number, only here
    except ValueError:
        return None
    return parts


def _tls(cluster: Item) -> ssl.SSLContext:
    authority = cluster.data("certificate-authority")
    if cluster.content.get("insecure-skip-tls-verify"):
        if authority:
            raise UserError(
                "the kubeconfig has insecure-skip-tls-verify beside a certificate-authority, "
                "which kubectl refuses too",
                place=cluster.place,
                remedy="take insecure-skip-tls-verify out",
            )
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # 4.1 warns, once
        return trusting_anybody()
    return trusting(authority.decode("utf-8", "replace") if authority else None, cluster.place)


def _proxy(cluster: Item) -> str | None:
    proxy = str(cluster.content.get("proxy-url") or "")
    parts = _parts(proxy)
    if parts is None:  # it is not shown: it may hold a password
        raise UserError("the kubeconfig's proxy-url is no address", place=cluster.place)
    if proxy and parts.scheme not in PROXIES:
        raise UserError(
            f"the kubeconfig's proxy-url is a {parts.scheme} address, and only HTTP proxies are supported",
            place=cluster.place,
            remedy="name an HTTP proxy, or take it out and set bastion",
        )
    return proxy or None


def _login(chosen: KubeContext, tls: ssl.SSLContext, waiting: Waiting) -> Login:
    """Take the login as client-go does: a certificate also beside a token, a token before a plug-in."""
    user, content = chosen.user, chosen.user.content
    certificate, key = user.data("client-certificate"), user.data("client-key")
    if certificate and key:
        present(tls, certificate, key, user.place)
    elif certificate or key:
        raise CredentialsError(
            "the kubeconfig's user has a certificate without its key, or a key alone", place=user.place
        )
    if path := user.path("tokenFile"):
        return TokenFileLogin(path)
    if token := content.get("token"):
        return GivenLogin(bearer(str(token), user.place))
    if plugin := user.section("exec"):
        return ExecLogin(ExecPlugin(plugin, _told_to_plugin(chosen.cluster), user.file, waiting), tls)
    if provider := user.section("auth-provider"):
        raise CredentialsError(
            f"the kubeconfig's user logs in by the auth-provider {provider.get('name')}, "
            "which kubectl dropped",
            place=user.place,
            remedy="use a credential plug-in (exec), such as gke-gcloud-auth-plugin or kubelogin",
        )
    if name := content.get("username"):
        return GivenLogin(basic(str(name), str(content.get("password") or "")))
    return GivenLogin({})


def _in_whose_name(user: Item, login: Login) -> Login:
    if unsupported := [key for key in ("as-groups", "as-user-extra") if user.content.get(key)]:
        raise UserError(
            f"the kubeconfig's user has {unsupported[0]}, which is not supported",
            place=user.place,
            remedy="use a user that may do it in its own name",
        )
    headers = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
    names = {header: str(user.content[key]) for key, header in headers.items() if user.content.get(key)}
    return InTheNameOf(login, names) if names else login


def _told_to_plugin(cluster: Item) -> Mapping[str, Any]:
    keys = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
    told = {key: cluster.content[key] for key in keys if cluster.content.get(key)}
    if authority := cluster.data("certificate-authority"):
        told["certificate-authority-data"] = base64.b64encode(authority).decode("ascii")
    for extension in cluster.entries("extensions"):
        if extension.get("name") == f"{GROUP}/exec":
            told["config"] = extension.get("extension")
    return told
