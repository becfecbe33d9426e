"""What goes wrong with SSH, as the project's errors."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from paramiko import Channel, SFTPError
from paramiko.ssh_exception import (
    AuthenticationException,
    BadHostKeyException,
    NoValidConnectionsError,
    PasswordRequiredException,
    SSHException,
)

from runbook.clients.ssh_host_keys import changed_key
from runbook.config.ssh import SshLogin
from runbook.engine.errors import CredentialsError, FailedError, PassingError, Place, RefusedError

NO_KEY: Final = "No authentication methods available"
"""paramiko's words where there is no key to offer."""


@contextmanager
def ssh_errors(place: Place, ssh: SshLogin) -> Iterator[None]:
    """Turn what fabric and paramiko raise into the project's errors.

    Args:
        place: the connection.
        ssh: who and where.
    """
    try:
        yield
    except BadHostKeyException as error:
        raise changed_key(error, ssh) from error
    except PasswordRequiredException as error:
        raise CredentialsError(
            "the key is locked by a passphrase", place=place, remedy=key_remedy(ssh)
        ) from error
    except AuthenticationException as error:
        message = "the host accepts none of the keys that were offered for this login"
        raise CredentialsError(message, place=place, remedy=key_remedy(ssh)) from error
    except SSHException as error:
        if str(error) == NO_KEY:
            raise CredentialsError(
                "there is no key to log in with", place=place, remedy=key_remedy(ssh)
            ) from error
        raise PassingError(f"the connection failed: {error}", place=place) from error
    except EOFError as error:
        raise lost(place) from error
    except SFTPError as error:
        remedy = (
            "`sftp` must work there; a login's start-up files may print nothing where nobody is at a terminal"
        )
        raise FailedError(f"the host's SFTP cannot be used: {error}", place=place, remedy=remedy) from error
    except OSError as error:
        raise _of_network(error, place, ssh) from error


@contextmanager
def unwritten(place: Place, path: str, channel: Channel) -> Iterator[None]:
    """Tell a file that cannot be written from a connection that broke.

    Args:
        place: the connection.
        path: of the file.
        channel: that it is written through.
    """
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        if channel.closed:
            raise
        raise FailedError(
            f"{path} cannot be written there: {error.strerror or error}",
            place=place,
            remedy="look for a full disk (df) and at the rights there, or set transfer.ssh.folder",
        ) from error


def key_remedy(ssh: SshLogin) -> str:
    """Tell what to do where no key opens."""
    return (
        f"load the key into the agent (ssh-add), or name it in {ssh.variable}.key_file; "
        "`ssh` must log in unasked"
    )


def where_remedy(ssh: SshLogin) -> str:
    """Tell what to look at where the host is not found."""
    return f"look at {ssh.variable}.host ({ssh.host}) and {ssh.variable}.port"


def place_of(ssh: SshLogin) -> Place:
    """Name the connection."""
    port = f":{ssh.port}" if ssh.port else ""
    return Place(f"ssh {ssh.user}@{ssh.host}{port}" if ssh.user else f"ssh {ssh.host}{port}")


def forbidden(place: Place, host: str, port: int) -> RefusedError:
    """Make the error of a host that may not connect any further."""
    return RefusedError(
        f"the bastion may not connect to {host}:{port} for you",
        place=place,
        remedy="have AllowTcpForwarding and PermitOpen allow it in the bastion's sshd_config",
    )


def unreached(place: Place, host: str, port: int, reason: str) -> PassingError:
    """Make the error of a host that nobody answers any further."""
    return PassingError(
        f"the bastion answers, but does not reach {host}:{port}: {reason.strip().lower()}",
        place=place,
        remedy="look at the cluster's address, at its authorized networks, and at firewalls in between",
    )


def lost(place: Place) -> PassingError:
    """Make the error of a connection that broke."""
    return PassingError("the connection was lost", place=place)


def _of_network(error: OSError, place: Place, ssh: SshLogin) -> CredentialsError | PassingError:
    if error.filename is not None:
        return CredentialsError(
            f"the key cannot be read: {error.filename}: {error.strerror}", place=place, remedy=key_remedy(ssh)
        )
    where = where_remedy(ssh)
    if isinstance(error, socket.gaierror):
        return PassingError(f"the name is not known: {error.strerror}", place=place, remedy=where)
    if isinstance(error, NoValidConnectionsError):
        return PassingError("nothing listens there, or it refuses", place=place, remedy=where)
    if isinstance(error, TimeoutError):
        return PassingError("the host does not answer", place=place, remedy=where)
    return PassingError(f"the connection failed: {error.strerror or error}", place=place)
