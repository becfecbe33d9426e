"""Pods made by controllers from a template, through the same admission as everyone's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rehearsal.kube.api.defaults import set_defaults
from rehearsal.kube.api.kinds import Kind, kind_of
from rehearsal.kube.api.status import ApiError
from rehearsal.kube.api.store import Object, Store, clone
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.owners import controller_reference
from rehearsal.kube.control.pods import containers

Admission = Callable[[Kind, Object, str], Object]


class PodsFromTemplates:
    """Creates and deletes the Pods of one kind of controller, and says so in Events.

    Args:
        admit: the cluster's admission.
        recorder: who the Events come from.
    """

    def __init__(self, store: Store, admit: Admission, recorder: EventRecorder) -> None:
        self._store = store
        self._admit = admit
        self._recorder = recorder

    def create(
        self,
        owner: Object,
        *,
        prefix: str = "",
        hostname: str = "",
        environment: Sequence[Object] = (),
        **changes: Any,
    ) -> Object:
        """Create one Pod from the owner's spec.template.

        Args:
            owner: a ReplicaSet or a Job.
            prefix: of the Pod's name; else the owner's name.
            hostname: of the Pod; else what the template says.
            environment: variables that each container gets more.
            changes: to the Pod's metadata: labels, annotations, finalizers.

        Raises:
            ApiError: admission or a quota refused the Pod; an Event FailedCreate says why.
        """
        template = clone(owner["spec"]["template"])
        metadata = {
            key: value for key, value in (template.get("metadata") or {}).items() if key in _TEMPLATE_METADATA
        }
        for field, value in changes.items():
            metadata[field] = metadata.get(field, {}) | value if isinstance(value, dict) else value
        metadata |= {
            "generateName": prefix or f"{owner['metadata']['name']}-",
            "namespace": owner["metadata"]["namespace"],
            "ownerReferences": [controller_reference(owner)],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        if hostname:
            pod["spec"]["hostname"] = hostname
        for container in containers(pod):
            if environment:
                container["env"] = [*(container.get("env") or []), *environment]
        set_defaults(kind_of("Pod"), pod)
        try:
            made = self._store.create(kind_of("Pod"), self._admit(kind_of("Pod"), pod, "CREATE"))
        except ApiError as refusal:
            self._recorder.warning(owner, "FailedCreate", f"Error creating: {refusal}")
            raise
        self._recorder.normal(owner, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        return made

    def delete(self, owner: Object, pod: Object) -> None:
        """Delete one Pod, with the grace that its spec gives it."""
        name = pod["metadata"]["name"]
        self._store.delete(kind_of("Pod"), pod["metadata"]["namespace"], name, grace_period_seconds=None)
        self._recorder.normal(owner, "SuccessfulDelete", f"Deleted pod: {name}")


_TEMPLATE_METADATA = ("labels", "annotations", "finalizers")
