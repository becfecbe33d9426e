"""The variables by which libraries in a container find the stand-in, and not the internet."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.kube.api.store import Object


def ways_out(addresses: Mapping[str, str], cluster: str, pod: Object) -> dict[str, str]:
    """Name the hub for Hugging Face's library, Cloud Storage and the Pod's metadata server for Google's.

    Args:
        addresses: where the stand-in's APIs listen, by name; those that are missing are left out.
        cluster: `projects/P/locations/L/clusters/C`.
        pod: whose containers get them.
    """
    found = {}
    if hub := addresses.get("hub"):
        found["HF_ENDPOINT"] = hub
    if google := addresses.get("google"):
        found["STORAGE_EMULATOR_HOST"] = google
    if metadata := addresses.get("metadata"):
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        host = f"{metadata.removeprefix('http://')}/{cluster}/namespaces/{namespace}/pods/{name}"
        found |= {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host}  # the latter is what is pinged
    return found
