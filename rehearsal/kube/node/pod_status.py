"""A Pod's status, from the states of its containers."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.kube.control.conditions import Condition, with_condition
from rehearsal.kube.control.pods import is_sidecar
from rehearsal.kube.node.container import Container

_ENDED = ("Succeeded", "Failed")


def phase_of(main: Sequence[Container], *, initialized: bool, failed: bool, stopped: bool) -> str:
    """Tell the phase; it is an end only when no container runs any more, as the kubelet has it.

    Args:
        initialized: all init containers are done, so that the main ones were started.
        failed: an init container failed for good.
        stopped: the sidecars were ended, too.
    """
    if failed and stopped:
        return "Failed"
    if initialized and stopped and all(container.ended for container in main):
        return "Failed" if any(container.state.exit_code for container in main) else "Succeeded"
    begun = any(not _is_new(container) for container in main)
    return "Running" if initialized and begun else "Pending"


def _is_new(container: Container) -> bool:
    state = container.state
    return "waiting" in state.state and not state.last_state


def conditions_of(
    present: list[Condition] | None,
    init: Sequence[Container],
    main: Sequence[Container],
    *,
    initialized: bool,
    sandbox: bool,
    phase: str,
) -> list[Condition]:
    """Give the Pod's conditions; those of others, such as PodScheduled, stay.

    Args:
        sandbox: its volumes are mounted and its network stands.
    """
    conditions = with_condition(present, "PodReadyToStartContainers", sandbox and phase not in _ENDED)
    waiting = [container.name for container in init if not _init_is_done(container)]
    done = initialized or not waiting
    text = "" if done else f"containers with incomplete status: [{' '.join(waiting)}]"
    conditions = with_condition(
        conditions, "Initialized", done, "" if done else "ContainersNotInitialized", text
    )
    reason, message = _unready(main, phase)
    for kind in ("Ready", "ContainersReady"):
        conditions = with_condition(conditions, kind, not reason, reason, message)
    return conditions


def _init_is_done(container: Container) -> bool:
    if is_sidecar(container.spec):
        return container.state.started
    return container.state.exit_code == 0


def _unready(main: Sequence[Container], phase: str) -> tuple[str, str]:
    if phase == "Succeeded":
        return "PodCompleted", ""
    unready = [container.name for container in main if not container.state.ready]
    if phase == "Failed":
        return "PodFailed", ""
    if not unready:
        return "", ""
    return "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
