"""What the API server refuses in a Job's spec beside its template."""

from __future__ import annotations

from collections.abc import Iterator

from rehearsal.kube.api.status import Cause, invalid, required, unsupported
from rehearsal.kube.api.store import Object

_COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_MODES = ["Indexed", "NonIndexed"]
_ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"]
_OPERATORS = ["In", "NotIn"]


def job_spec_causes(spec: Object) -> Iterator[Cause]:
    """List what is wrong with a Job's spec; its template is looked at elsewhere."""
    for field in _COUNTS:
        if spec.get(field, 0) < 0:
            yield invalid(f"spec.{field}", spec[field], "must be greater than or equal to 0")
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        yield required("spec.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    yield from _mode_causes(spec)
    if "podFailurePolicy" in spec:
        yield from _failure_policy_causes(spec)


def _mode_causes(spec: Object) -> Iterator[Cause]:
    mode, completions = spec["completionMode"], spec.get("completions")
    if mode not in _MODES:
        yield unsupported("spec.completionMode", mode, _MODES)
    elif mode == "NonIndexed":
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if field in spec:
                yield invalid(f"spec.{field}", spec[field], "requires indexed completion mode")
    elif completions is None:
        yield required("spec.completions", "when completion mode is Indexed")
    elif spec.get("maxFailedIndexes", 0) > completions:
        detail = "must be less than or equal to completions"
        yield invalid("spec.maxFailedIndexes", spec["maxFailedIndexes"], detail)


def _failure_policy_causes(spec: Object) -> Iterator[Cause]:
    for index, rule in enumerate(spec["podFailurePolicy"].get("rules") or []):
        yield from _rule_causes(rule, spec, f"spec.podFailurePolicy.rules[{index}]")
    if spec["podReplacementPolicy"] != "Failed":
        yield unsupported("spec.podReplacementPolicy", spec["podReplacementPolicy"], ["Failed"])
    policy = spec["template"]["spec"]["restartPolicy"]
    if policy == "OnFailure":
        detail = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid("spec.template.spec.restartPolicy", policy, detail)


def _rule_causes(rule: Object, spec: Object, path: str) -> Iterator[Cause]:
    action, codes = rule["action"], rule.get("onExitCodes")
    if action not in _ACTIONS:
        yield unsupported(f"{path}.action", action, _ACTIONS)
    elif action == "FailIndex" and "backoffLimitPerIndex" not in spec:
        yield invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    if (codes is None) == (not rule.get("onPodConditions")):
        detail = "specifying one of OnExitCodes and OnPodConditions is required"
        yield Cause(path, "FieldValueInvalid", f"Invalid value: {detail}")
    elif codes is not None and codes["operator"] not in _OPERATORS:
        yield unsupported(f"{path}.onExitCodes.operator", codes["operator"], _OPERATORS)
    elif codes is not None and codes["operator"] == "In" and 0 in codes["values"]:
        where = f"{path}.onExitCodes.values[{codes['values'].index(0)}]"
        yield invalid(where, 0, "must not be 0 for the In operator")
