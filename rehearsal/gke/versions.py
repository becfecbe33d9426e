"""The GKE versions that the rehearsal offers."""

from __future__ import annotations

from typing import Any

from rehearsal.front.errors import GoogleError

VERSIONS = (
    "1.36.0-gke.1266000",
    "1.35.3-gke.2347000",
    "1.34.8-gke.1218000",
    "1.34.1-gke.3899001",
    "1.34.1-gke.1829001",
    "1.33.5-gke.1308000",
    "1.31.13-gke.1023000",
)
CHANNELS = ("RAPID", "REGULAR", "STABLE", "EXTENDED")


def chosen_version(asked: str) -> str:
    """Return the version that a request means: a whole one, the start of one, "latest", or "-".

    Raises:
        GoogleError: 400, there is no such version.
    """
    if asked in ("", "-", "latest"):
        return VERSIONS[0]
    for version in VERSIONS:
        if version == asked or version.startswith((f"{asked}.", f"{asked}-")):
            return version
    raise GoogleError(400, f'Version "{asked}" is invalid.')


def server_config() -> dict[str, Any]:
    """Build the answer of getServerConfig."""
    channels = [
        {"channel": channel, "defaultVersion": VERSIONS[0], "validVersions": list(VERSIONS)}
        for channel in CHANNELS
    ]
    return {
        "channels": channels,
        "defaultClusterVersion": VERSIONS[0],
        "defaultImageType": "COS_CONTAINERD",
        "validImageTypes": ["COS_CONTAINERD", "UBUNTU_CONTAINERD"],
        "validMasterVersions": list(VERSIONS),
        "validNodeVersions": list(VERSIONS),
    }
