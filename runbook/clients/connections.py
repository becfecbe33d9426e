"""All clients of one line of tasks: each is made when first used, by one thread, and closed at the end."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from runbook.clients.endpoints import Endpoints, of_rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from runbook.clients.auth import Login
    from runbook.clients.compute import Compute
    from runbook.clients.gke import Gke
    from runbook.clients.hub import Hub
    from runbook.clients.projects import Projects
    from runbook.clients.ssh import SshHost
    from runbook.clients.ssh_tunnel import SshTunnel
    from runbook.clients.storage import Storage
    from runbook.config.schema import Variables

T = TypeVar("T")


class Connections:
    """The clients that steps use. Nothing is imported or opened before it is asked for.

    Args:
        variables: the merged variables.
        home: the folder that holds .rehearsal/ (RUNBOOK_HOME).
    """

    def __init__(self, variables: Variables, home: Path) -> None:
        self._variables = variables
        self._home = home
        self._lock = RLock()
        self._made: dict[str, Any] = {}
        self._opened = ExitStack()

    @property
    def endpoints(self) -> Endpoints:
        """Where the services answer."""
        return self.once("endpoints", self._find_endpoints)

    @property
    def credentials(self) -> Login:
        """The google-auth credentials that every Google service and the cluster accept."""
        return self.once("credentials", self._find_credentials)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that carry a token which has not expired, for who moves bytes without a session."""
        from runbook.clients.auth import fresh

        fresh(self.credentials)
        carried: dict[str, str] = {}
        self.credentials.apply(carried)
        return carried

    @property
    def session(self) -> requests.Session:
        """The authorised HTTP session that the Google clients share."""
        return self.once("session", self._open_session)

    @property
    def gke(self) -> Gke:
        """The GKE API."""
        from runbook.clients.gke import Gke

        return self.once("gke", lambda: Gke(self.session, self.endpoints.container))

    @property
    def projects(self) -> Projects:
        """Project numbers and enabled APIs."""
        from runbook.clients.projects import Projects

        return self.once("projects", lambda: Projects(self.session, self.endpoints))

    @property
    def compute(self) -> Compute:
        """Machine types, reservations, quotas and routers."""
        from runbook.clients.compute import Compute

        return self.once("compute", lambda: Compute(self.session, self.endpoints))

    @property
    def storage(self) -> Storage:
        """Buckets, their IAM policies and listings."""
        return self.once("storage", self._open_storage)

    @property
    def file_system(self) -> Any:
        """Cloud Storage as a file system of fsspec (gcsfs): gs://bucket/path."""
        return self.once("file_system", self._open_file_system)

    @property
    def ssh(self) -> SshHost:
        """The host that the model goes through where transfer.where is ssh."""
        return self.once("ssh", self._open_ssh)

    @property
    def bastion(self) -> SshHost:
        """The host that the cluster's API is reached through, for questions to itself."""
        return self.once("bastion", self._open_bastion)

    def tunnel(self, host: str, port: int, knock: Callable[[int], None]) -> SshTunnel:
        """Open a way to a host behind the bastion; the same one for all who ask in this line.

        Args:
            host: the host behind it.
            port: of that host.
            knock: connects to a port of this machine; raises OSError where nobody is behind it.
        """
        return self.once(f"tunnel {host}:{port}", lambda: self._open_tunnel(host, port, knock))

    @property
    def hub(self) -> Hub:
        """The Hugging Face hub."""
        return self.once("hub", self._open_hub)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return the client of that name; the first caller makes it while others wait.

        Args:
            name: unique among the clients.
            make: makes it.
        """
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            found: T = self._made[name]
            return found

    def at_the_end(self, close: Callable[[], object]) -> None:
        """Have something closed when the line of tasks ends, last opened first."""
        self._opened.callback(close)

    def close(self) -> None:
        """Close what was opened."""
        with self._lock:
            self._made.clear()
            self._opened.close()

    def _find_endpoints(self) -> Endpoints:
        if self._variables.provider == "rehearsal":
            return of_rehearsal(self._home)
        # the one address that Google's own clients take from the environment
        own = os.environ.get("STORAGE_EMULATOR_HOST", "").rstrip("/")
        return Endpoints(storage=own) if own else Endpoints()

    def _find_credentials(self) -> Login:
        from runbook.clients import auth

        if self.endpoints.token_file:
            return auth.rehearsed(self.endpoints.token_file)
        return auth.chosen(self._variables.credentials, self.endpoints.iam_credentials)

    def _open_session(self) -> requests.Session:
        from runbook.clients.auth import LoggedInSession
        from runbook.clients.transport import prepare

        session = LoggedInSession(self.credentials)
        self.at_the_end(session.close)
        prepare(session)
        return session

    def _open_storage(self) -> Storage:
        from runbook.clients.storage import Storage

        return Storage(self.session, self.credentials, self.endpoints.storage, self._variables.project)

    def _open_file_system(self) -> Any:
        from runbook.clients.file_system import close_file_system, open_file_system

        opened = open_file_system(self.credentials, self.endpoints.storage, self._variables.project)
        self.at_the_end(lambda: close_file_system(opened))
        return opened

    def _open_ssh(self) -> SshHost:
        from runbook.clients.ssh import SshHost

        host = SshHost(self._variables.transfer.ssh)
        self.at_the_end(host.close)
        return host

    def _open_bastion(self) -> SshHost:
        from runbook.clients.ssh import SshHost

        host = SshHost(self._variables.bastion)
        self.at_the_end(host.close)
        return host

    def _open_tunnel(self, host: str, port: int, knock: Callable[[int], None]) -> SshTunnel:
        from runbook.clients.ssh_tunnel import SshTunnel

        opened = SshTunnel(self._variables.bastion, host, port, knock)
        self.at_the_end(opened.close)
        return opened

    def _open_hub(self) -> Hub:
        from runbook.clients.hub import Hub
        from runbook.clients.transport import plain_session

        session = plain_session()
        self.at_the_end(session.close)
        return Hub(session, self.endpoints.hub, self._variables.hub.token)
