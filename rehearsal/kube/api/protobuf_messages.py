"""The messages that `kubectl create` and `drain` send in protobuf, field by field.

The field numbers are those of generated.proto in k8s.io/api (core, apps, batch) and k8s.io/apimachinery.
"""

from __future__ import annotations

Fields = tuple[tuple[int, str, str], ...]
"""Number, name and type of each: a scalar, `optional int` (0 is a value), `list of`, `map of`, a message."""

KINDS_READ = frozenset({
    "ConfigMap", "DeleteOptions", "Deployment", "Job", "Namespace", "ResourceQuota", "Secret", "Service",
    "ServiceAccount",
})  # fmt: skip
_STRINGS = "map of string"
_META = (1, "metadata", "ObjectMeta")
_STATUS = (3, "status", "left out")
_TEMPLATED: Fields = (_META, (2, "spec", "left out"), _STATUS)

MESSAGES: dict[str, Fields] = {
    "ObjectMeta": (
        (1, "name", "string"),
        (2, "generateName", "string"),
        (3, "namespace", "string"),
        (4, "selfLink", "string"),
        (5, "uid", "string"),
        (6, "resourceVersion", "string"),
        (7, "generation", "int"),
        (8, "creationTimestamp", "left out"),
        (11, "labels", _STRINGS),
        (12, "annotations", _STRINGS),
        (13, "ownerReferences", "list of OwnerReference"),
        (14, "finalizers", "list of string"),
    ),
    "OwnerReference": (
        (1, "kind", "string"),
        (3, "name", "string"),
        (4, "uid", "string"),
        (5, "apiVersion", "string"),
        (6, "controller", "bool"),
        (7, "blockOwnerDeletion", "bool"),
    ),
    "DeleteOptions": (
        (1, "gracePeriodSeconds", "optional int"),
        (2, "preconditions", "Preconditions"),
        (3, "orphanDependents", "bool"),
        (4, "propagationPolicy", "string"),
        (5, "dryRun", "list of string"),
    ),
    "Preconditions": ((1, "uid", "string"), (2, "resourceVersion", "string")),
    "LabelSelector": ((1, "matchLabels", _STRINGS),),
    "Namespace": _TEMPLATED,
    "ConfigMap": (_META, (2, "data", _STRINGS), (3, "binaryData", "map of bytes"), (4, "immutable", "bool")),
    "Secret": (
        _META,
        (2, "data", "map of bytes"),
        (3, "type", "string"),
        (4, "stringData", _STRINGS),
        (5, "immutable", "bool"),
    ),
    "ServiceAccount": (_META, (4, "automountServiceAccountToken", "bool")),
    "ResourceQuota": (_META, (2, "spec", "ResourceQuotaSpec"), _STATUS),
    "ResourceQuotaSpec": ((1, "hard", "map of Quantity"), (2, "scopes", "list of string")),
    "Service": (_META, (2, "spec", "ServiceSpec"), _STATUS),
    "ServiceSpec": (
        (1, "ports", "list of ServicePort"),
        (2, "selector", _STRINGS),
        (3, "clusterIP", "string"),
        (4, "type", "string"),
        (7, "sessionAffinity", "string"),
        (8, "loadBalancerIP", "string"),
        (10, "externalName", "string"),
        (11, "externalTrafficPolicy", "string"),
        (12, "healthCheckNodePort", "int"),
        (13, "publishNotReadyAddresses", "bool"),
    ),
    "ServicePort": (
        (1, "name", "string"),
        (2, "protocol", "string"),
        (3, "port", "int"),
        (4, "targetPort", "IntOrString"),
        (5, "nodePort", "int"),
    ),
    "Deployment": (_META, (2, "spec", "DeploymentSpec"), _STATUS),
    "DeploymentSpec": (
        (1, "replicas", "optional int"),
        (2, "selector", "LabelSelector"),
        (3, "template", "PodTemplateSpec"),
        (4, "strategy", "DeploymentStrategy"),
        (5, "minReadySeconds", "int"),
        (6, "revisionHistoryLimit", "optional int"),
        (7, "paused", "bool"),
        (9, "progressDeadlineSeconds", "optional int"),
    ),
    "DeploymentStrategy": ((1, "type", "string"),),
    "Job": (_META, (2, "spec", "JobSpec"), _STATUS),
    "JobSpec": (
        (1, "parallelism", "optional int"),
        (2, "completions", "optional int"),
        (3, "activeDeadlineSeconds", "optional int"),
        (4, "selector", "LabelSelector"),
        (5, "manualSelector", "bool"),
        (6, "template", "PodTemplateSpec"),
        (7, "backoffLimit", "optional int"),
        (8, "ttlSecondsAfterFinished", "optional int"),
    ),
    "PodTemplateSpec": (_META, (2, "spec", "PodSpec")),
    "PodSpec": (
        (2, "containers", "list of Container"),
        (3, "restartPolicy", "string"),
        (4, "terminationGracePeriodSeconds", "optional int"),
        (6, "dnsPolicy", "string"),
        (7, "nodeSelector", _STRINGS),
        (8, "serviceAccountName", "string"),
        (10, "nodeName", "string"),
        (14, "securityContext", "PodSecurityContext"),
        (19, "schedulerName", "string"),
    ),
    "PodSecurityContext": (),
    "Container": (
        (1, "name", "string"),
        (2, "image", "string"),
        (3, "command", "list of string"),
        (4, "args", "list of string"),
        (5, "workingDir", "string"),
        (6, "ports", "list of ContainerPort"),
        (8, "resources", "ResourceRequirements"),
        (13, "terminationMessagePath", "string"),
        (14, "imagePullPolicy", "string"),
        (16, "stdin", "bool"),
        (17, "stdinOnce", "bool"),
        (18, "tty", "bool"),
        (20, "terminationMessagePolicy", "string"),
    ),
    "ContainerPort": (
        (1, "name", "string"),
        (2, "hostPort", "int"),
        (3, "containerPort", "int"),
        (4, "protocol", "string"),
    ),
    "ResourceRequirements": (),
}
"""A field that is missing here and says something refuses the body (415), as one of another kind does."""
