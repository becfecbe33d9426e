"""What was typed by hand is taken over by a run; nothing differs then, and what no Pod uses can go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guide_by_hand.guide import APPLY, CREATE_BUCKET, CREATE_CLUSTER, CREATE_NODE_POOL, GET_CREDENTIALS
from tests.guide_by_hand.typed import typist_at

pytestmark = [pytest.mark.clients, pytest.mark.slow]

LEFT = "kubectl delete persistentvolumeclaim vllm-pvc && kubectl delete persistentvolume vllm-pv"


def test_a_run_takes_over_what_was_typed(tmp_path: Path) -> None:
    with typist_at(tmp_path) as typist:
        for command in (CREATE_CLUSTER, CREATE_NODE_POOL, CREATE_BUCKET, GET_CREDENTIALS, APPLY):
            assert typist.types(command).returncode == 0, command
        taken_over = typist.operator.inv("setup", "deploy", "--set", "kube.force=true")
        assert taken_over.code == 0, taken_over.out
        assert typist.types(LEFT).returncode == 0
        checked = typist.operator.inv("setup", "deploy", "--check")
        assert checked.code == 0, checked.out
        assert checked.recap["changed"] == 0
