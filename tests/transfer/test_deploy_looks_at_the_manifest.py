"""A server is not started on a folder that is not what its manifest lists."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Operator, new_operator

SHARD = "/storage/v1/b/rehearsal-models/o/gpt-oss-tiny%2Fmodel-00003-of-00014.safetensors"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    for sitting in new_operator(tmp_path_factory.mktemp("home")):
        assert sitting.inv("setup").code == 0
        yield sitting


def test_a_shard_that_is_gone_stops_the_deployment(operator: Operator) -> None:
    operator.google("DELETE", SHARD)
    refused = operator.inv("deploy")
    assert refused.code == 1
    assert "is not what its manifest lists" in refused.out
    assert "inv step 3.2.3" in refused.out
    assert operator.inv("step", "3.2.3").code == 0
    assert operator.inv("deploy", "--check").code == 2


@pytest.mark.slow
def test_a_manifest_that_is_missing_stops_it_too(operator: Operator) -> None:
    operator.google("DELETE", SHARD.rpartition("%2F")[0] + "%2F.runbook-manifest.json")
    refused = operator.inv("deploy")
    assert refused.code == 1
    assert "is not complete" in refused.out
    assert operator.inv("step", "3.2.3").code == 0
