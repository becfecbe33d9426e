"""Setup and deploy, with the model moved by Pods, in a namespace and under a name of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import new_operator

pytestmark = pytest.mark.slow

LINE = (
    *("setup", "deploy", "smoke"),
    *("--set", "transfer.where=cluster"),
    *("--set", "bucket.role=roles/storage.objectUser"),
)
OWN = ("--set", "kube.namespace=models", "--set", "kube.service_account=mover")


@pytest.mark.parametrize("more", [(), OWN], ids=["default", "namespace and account of their own"])
def test_the_whole_line_ends_converged(tmp_path: Path, more: tuple[str, ...]) -> None:
    for operator in new_operator(tmp_path):
        ended = operator.inv(*LINE, *more)
        assert ended.code == 0, ended.out + ended.error
        assert ended.status("3.2.3") == "changed"
        again = operator.inv(*LINE, *more, "--check")
        assert again.code == 0, again.out
        assert operator.inv("cleanup", *LINE[3:], *more).code == 0
