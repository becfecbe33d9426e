"""Sends the official client's requests: with the login's headers, once more after a 401."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote, urlsplit

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.client.rest import RESTClientObject

from runbook.clients.kube.access import Access
from runbook.clients.retries import Retries

CONNECTIONS: Final = 16
UNAUTHORIZED: Final = 401


class LoggedInRequests(RESTClientObject):
    """The official client's transport, with this project's login and connections.

    Args:
        configuration: the official client's.
        access: the cluster's.
    """

    def __init__(self, configuration: Configuration, access: Access) -> None:
        super().__init__(configuration)
        self._access = access
        self.pool_manager = _pool(access)

    def request(self, method: str, url: str, headers: Any = None, *rest: Any, **options: Any) -> Any:
        """Send a request; log in anew and send it again where the login was refused.

        Raises:
            RunbookError: nobody could log in, or nothing passes on the way to the cluster.
            ApiException: there is no TLS to the API server.
        """
        login = self._access.login
        given = login.headers()
        answer = self._sent(method, url, {**(headers or {}), **given}, *rest, **options)
        if answer.status != UNAUTHORIZED or not login.renew(given):
            return answer
        answer.response.drain_conn()
        self.pool_manager.clear()  # connections know the certificate that they were made with
        return self._sent(method, url, {**(headers or {}), **login.headers()}, *rest, **options)

    def _sent(self, method: str, url: str, headers: Any, *rest: Any, **options: Any) -> Any:
        try:
            return super().request(  # type: ignore[no-untyped-call] # the client has no types here
                method, url, headers, *rest, **options
            )
        except (urllib3.exceptions.HTTPError, ApiException):
            trouble = self._access.way.trouble() if self._access.way else None
            if trouble is not None:
                raise trouble from None
            raise


def official_client(access: Access) -> ApiClient:
    """Make the official client of a cluster."""
    configuration = Configuration(host=access.address)
    made = ApiClient(configuration)
    made.rest_client = LoggedInRequests(configuration, access)
    return made


def _pool(access: Access) -> urllib3.PoolManager:
    options: dict[str, Any] = {
        "maxsize": CONNECTIONS,
        "ssl_context": access.tls,
        "retries": Retries(
            total=4,
            backoff_factor=0.2,
            backoff_jitter=0.2,
            status_forcelist=(429, 502, 503, 504),
            allowed_methods=("GET", "PATCH", "DELETE"),
            raise_on_status=False,
        ),
    }
    if access.server_name:
        options["server_hostname"] = access.server_name
    if access.proxy is None:
        return urllib3.PoolManager(**options)
    return urllib3.ProxyManager(access.proxy, proxy_headers=_proxy_login(access.proxy), **options)


def _proxy_login(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return dict(urllib3.make_headers(proxy_basic_auth=login))
