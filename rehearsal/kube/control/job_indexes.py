"""The completion indexes of Indexed Jobs: which Pod has which, which are done, failed or still to run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rehearsal.kube.api.store import Object

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURE_COUNT = "batch.kubernetes.io/job-index-failure-count"
INDEX_VARIABLE = {
    "name": "JOB_COMPLETION_INDEX",
    "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.annotations['{INDEX}']"}},
}


def is_indexed(job: Object) -> bool:
    """Tell whether each Pod of the Job has an index."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def has_limit_per_index(job: Object) -> bool:
    """Tell whether each index may fail on its own."""
    return job["spec"].get("backoffLimitPerIndex") is not None


def index_of(pod: Object) -> str:
    """Give a Pod's index; empty where its Job is not Indexed."""
    return str((pod["metadata"].get("annotations") or {}).get(INDEX, ""))


def failures_before(pod: Object) -> int:
    """Say how often the Pod's index had failed when the Pod was made."""
    return int((pod["metadata"].get("annotations") or {}).get(FAILURE_COUNT, "0"))


def indexes_to_run(job: Object, active: Iterable[Object]) -> Iterator[str]:
    """Name the indexes without a Pod that are neither done nor failed, the lowest first."""
    status = job["status"]
    taken = {index_of(pod) for pod in active}
    taken.update(expanded(status.get("completedIndexes", "")), expanded(status.get("failedIndexes", "")))
    return (str(index) for index in range(job["spec"]["completions"]) if str(index) not in taken)


def count_of(indexes: str) -> int:
    """Count the indexes of a text such as `0,2-3`."""
    return sum(1 for _ in expanded(indexes))


def expanded(indexes: str) -> Iterator[str]:
    """List the indexes of a text such as `0,2-3`."""
    for part in filter(None, indexes.split(",")):
        first, _, last = part.partition("-")
        yield from (str(index) for index in range(int(first), int(last or first) + 1))


def with_index(indexes: str, index: str) -> str:
    """Add an index to such a text."""
    ranges: list[list[int]] = []
    for number in sorted({int(entry) for entry in expanded(indexes)} | {int(index)}):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
