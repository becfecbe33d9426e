"""Cloud Storage as a file system on this machine: gcsfs (fsspec) is the mount of section 3.2.1."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import gcsfs
import gcsfs.retry
from fsspec.asyn import sync

from runbook.clients.google_errors import of_status, passing_troubles
from runbook.clients.transport import CONNECT_SECONDS, READ_SECONDS, is_loopback
from runbook.engine.errors import ConflictError, CredentialsError, PassingError, Place

# gcsfs writes a traceback of every refusal to its log; the error that it raises says the same.
logging.getLogger("gcsfs").addHandler(logging.NullHandler())


def open_file_system(credentials: Any, endpoint: str, project: str) -> gcsfs.GCSFileSystem:
    """Open all of the project's buckets as one file system.

    Args:
        credentials: of google-auth.
        endpoint: Cloud Storage's base address.
        project: the project's ID.
    """
    return gcsfs.GCSFileSystem(
        project=project,
        token=credentials,
        endpoint_url=endpoint,
        requests_timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS
        ),
        session_kwargs={"trust_env": not is_loopback(endpoint)},
        skip_instance_cache=True,
    )


def close_file_system(file_system: gcsfs.GCSFileSystem) -> None:
    """Close its connections, on the thread that they belong to."""
    if file_system.session is not None:
        sync(file_system.loop, file_system.session.close)


@contextmanager
def gcsfs_errors(place: Place) -> Iterator[None]:
    """Turn what gcsfs raises into the project's errors.

    Args:
        place: the request.
    """
    with passing_troubles(place):
        try:
            yield
        except gcsfs.retry.HttpError as error:
            raise of_status(
                int(error.code), str(error.message), place=place, supplied_by="storage.bucket"
            ) from error
        except FileNotFoundError as error:
            raise of_status(404, "not there any more", place=place, supplied_by="storage.bucket") from error
        except FileExistsError as error:
            raise ConflictError(
                "somebody else wrote this object meanwhile", place=place, remedy="run the same line again"
            ) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise PassingError(f"the connection failed: {error}", place=place) from error
        except OSError as error:
            raise CredentialsError(str(error), place=place) from error
        except ValueError as error:
            raise of_status(400, str(error), place=place, supplied_by="storage.bucket") from error
