"""The symptoms that the state of objects shows, and what computes their evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from runbook.doctor.diagnosis.scheduling import chips_held, no_node_matches, taint_not_tolerated
from runbook.doctor.diagnosis.snapshot import Snapshot
from runbook.doctor.diagnosis.states import (
    cache_on_the_mount,
    operation_running,
    plugin_missing,
    sidecar_never_ends,
)
from runbook.steps.symptoms.evidence import Evidence

RULES: Final[Mapping[str, Callable[[Snapshot], Iterator[Evidence]]]] = {
    "s15-sidecar-without-restart-policy": sidecar_never_ends,
    "s16-chips-held": chips_held,
    "s17-taint-not-tolerated": taint_not_tolerated,
    "s18-no-node-matches": no_node_matches,
    "s21-cluster-busy": operation_running,
    "s33-auth-plugin-missing": plugin_missing,
    "s34-cache-on-the-mount": cache_on_the_mount,
}
"""By the symptom's id."""
