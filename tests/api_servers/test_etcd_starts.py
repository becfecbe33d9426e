"""The half of the real control plane that Debian has: etcd, started as the fixture starts it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import requests

from tests.api_servers.control_plane import Etcd, program


def test_etcd_keeps_what_it_is_told_and_ends(tmp_path: Path) -> None:
    found = program("etcd")
    if found is None:
        pytest.skip("etcd is neither under KUBEBUILDER_ASSETS nor on the PATH (Debian: etcd-server)")
    etcd = Etcd(tmp_path, found)
    key, value = (base64.b64encode(word).decode() for word in (b"key", b"value"))
    try:
        put = requests.post(f"{etcd.url}/v3/kv/put", json={"key": key, "value": value}, timeout=10)
        assert put.ok, put.text
        [kept] = requests.post(f"{etcd.url}/v3/kv/range", json={"key": key}, timeout=10).json()["kvs"]
        assert kept["value"] == value
    finally:
        etcd.end()
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{etcd.url}/health", timeout=5)
