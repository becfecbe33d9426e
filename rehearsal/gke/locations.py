"""Regions and zones."""

from __future__ import annotations

import re

from rehearsal.front.errors import GoogleError

TPU7X_ZONES = ("us-central1-c", "us-central1-ai1a")
"""The zones with TPU7x (Cloud TPU, regions and zones)."""

REGIONS = {
    "africa-south1": "abc",
    "asia-east1": "abc",
    "asia-east2": "abc",
    "asia-northeast1": "abc",
    "asia-northeast2": "abc",
    "asia-northeast3": "abc",
    "asia-south1": "abc",
    "asia-south2": "abc",
    "asia-southeast1": "abc",
    "asia-southeast2": "abc",
    "australia-southeast1": "abc",
    "australia-southeast2": "abc",
    "europe-central2": "abc",
    "europe-north1": "abc",
    "europe-north2": "abc",
    "europe-southwest1": "abc",
    "europe-west1": "bcd",
    "europe-west2": "abc",
    "europe-west3": "abc",
    "europe-west4": "abc",
    "europe-west6": "abc",
    "europe-west8": "abc",
    "europe-west9": "abc",
    "europe-west10": "abc",
    "europe-west12": "abc",
    "me-central1": "abc",
    "me-central2": "abc",
    "me-west1": "abc",
    "northamerica-northeast1": "abc",
    "northamerica-northeast2": "abc",
    "northamerica-south1": "abc",
    "southamerica-east1": "abc",
    "southamerica-west1": "abc",
    "us-central1": "abcf",
    "us-east1": "bcd",
    "us-east4": "abc",
    "us-east5": "abc",
    "us-south1": "abc",
    "us-west1": "abc",
    "us-west2": "abc",
    "us-west3": "abc",
    "us-west4": "abc",
}
"""The letters of each region's zones (Compute Engine, regions and zones)."""


def region_of(location: str) -> str:
    """Return the region of a region or zone."""
    return re.sub(r"-(ai\d+)?[a-z]$", "", location)


def zones_of(region: str) -> list[str]:
    """List a region's zones, the AI zones last."""
    zones = [f"{region}-{letter}" for letter in REGIONS.get(region, "")]
    return zones + [zone for zone in TPU7X_ZONES if region_of(zone) == region and zone not in zones]


def check_location(location: str) -> None:
    """Refuse a location that is neither a region nor a zone.

    Raises:
        GoogleError: 400.
    """
    if location not in REGIONS and location not in zones_of(region_of(location)):
        raise GoogleError(400, f'Location "{location}" does not exist.')


def default_zones(location: str) -> list[str]:
    """List the zones of a cluster's nodes when the request names none: three in a region."""
    return zones_of(location)[:3] if location in REGIONS else [location]
