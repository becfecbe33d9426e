"""How long trouble with Pods may last: a wait ends on what does not pass, and on what did not in its time."""

from __future__ import annotations

import time
from typing import Final

from runbook.engine.errors import FailedError
from runbook.steps.context import Context
from runbook.steps.kube.trouble import Diagnosis

_SHORTEST_SECONDS: Final = 3.0
_MADE_FOR_PODS: Final = frozenset({"spot", "flex-start"})


def grows(context: Context) -> bool:
    """Tell whether nodes come, some time, for TPU Pods that fit none: capacity that is waited for."""
    variables = context.variables
    return variables.node_pool.capacity in _MADE_FOR_PODS or variables.cluster.mode == "autopilot"


class Patience:
    """Compares diagnoses with how long they have been so.

    Trouble that comes and goes, as with a container that crashes again and again, counts from its beginning;
    another Pod begins anew.

    Args:
        context: gives the scale of time.
    """

    def __init__(self, context: Context) -> None:
        variables = context.variables
        self._scale = variables.rehearsal.time_scale if variables.provider == "rehearsal" else 1.0
        self._pod = ""
        self._since: dict[str, float] = {}

    def judge(self, found: Diagnosis) -> None:
        """End the wait where it is in vain.

        Raises:
            FailedError: the trouble is final, or has lasted too long.
        """
        if found.pod != self._pod:
            self._pod = found.pod
            self._since.clear()
        if found.patience_seconds is None:
            return
        patience = found.patience_seconds * self._scale
        if found.patience_seconds:
            patience = max(patience, _SHORTEST_SECONDS)
        if time.monotonic() - self._since.setdefault(found.cause, time.monotonic()) >= patience:
            raise FailedError(found.evidence, remedy=found.remedy)
