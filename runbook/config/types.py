"""The types of single variables: names as Google Cloud and Kubernetes accept them, amounts, flags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Group(BaseModel):
    """A group of variables: nothing unknown, nothing converted, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


@dataclass(frozen=True)
class Matching:
    """Text that follows a rule, for the loader and, through the JSON Schema, for the editor.

    Args:
        pattern: what the whole text must match.
        rule: the same in words; follows the variable's name in an error.
        empty: whether nothing at all will do as well.
    """

    pattern: str
    rule: str
    empty: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"pattern": f"^({self.pattern}){'?' if self.empty else ''}$"}

    def _check(self, value: str) -> str:
        if (value or not self.empty) and not re.fullmatch(self.pattern, value):
            raise PydanticCustomError("rule", "{rule}", {"rule": self.rule})
        return value


_REGION = r"[a-z]+-[a-z]+[0-9]+"
_DNS_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

ProjectId = Annotated[
    str,
    Matching(
        r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "must be a project's ID (6 to 30 lower-case letters, digits or -), not its number or title",
        empty=True,
    ),
]
Region = Annotated[str, Matching(_REGION, "must be a region such as us-central1", empty=True)]
Zone = Annotated[str, Matching(_REGION + r"-[a-z0-9]+", "must be a zone such as us-central1-c", empty=True)]
ClusterLocation = Annotated[
    str, Matching(_REGION + r"(-[a-z0-9]+)?", "must be a region or a zone, such as us-central1", empty=True)
]
GkeName = Annotated[
    str,
    Matching(
        r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?",
        "must be 1 to 40 lower-case letters, digits or -, from a letter to a letter or digit",
        empty=True,
    ),
]
Network = Annotated[
    str,
    Matching(
        rf"(projects/[a-z0-9:.-]+/global/networks/)?{_DNS_LABEL}",
        "must be a network's name, or projects/HOST/global/networks/NAME for a shared one",
    ),
]
Subnetwork = Annotated[
    str,
    Matching(
        rf"(projects/[a-z0-9:.-]+/regions/{_REGION}/subnetworks/)?{_DNS_LABEL}",
        "must be a subnetwork's name, or projects/HOST/regions/REGION/subnetworks/NAME for a shared one",
    ),
]
ServiceAccount = Annotated[
    str,
    Matching(
        r"[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com",
        "must be a service account's address, such as runbook@my-project.iam.gserviceaccount.com",
    ),
]
Reservation = Annotated[
    str,
    Matching(
        r"(projects/[a-z0-9:.-]+/reservations/)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?(/reservationBlocks/[a-z0-9-]+)?",
        "must be a reservation's name, or projects/OWNER/reservations/NAME for a shared one",
        empty=True,
    ),
]
BucketName = Annotated[
    str,
    Matching(
        r"(?!goog)(?!.*google)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]",
        "must be a bucket's name, without gs://: 3 to 63 lower-case letters, digits, - _ or . "
        "and no google in it",
        empty=True,
    ),
]
BucketLocation = Annotated[
    str, Matching(r"[A-Za-z]+[A-Za-z0-9-]*", "must be a region, or US, EU or ASIA", empty=True)
]
Folder = Annotated[
    str,
    Matching(
        r"(?!.*(^|/)\.{1,2}(/|$))[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)*",
        "must be a folder inside the bucket, such as gpt-oss-120b, without gs:// and the bucket",
    ),
]
DnsLabel = Annotated[
    str,
    Matching(
        _DNS_LABEL, "must be 1 to 63 lower-case letters, digits or -, with a letter or digit at both ends"
    ),
]
JobPrefix = Annotated[
    str,
    Matching(
        r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?",
        "must be 1 to 42 lower-case letters, digits or -, as a run's name follows and Jobs' names end at 63",
    ),
]
Quantity = Annotated[
    str,
    Matching(
        r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", "must be a Kubernetes quantity, such as 64Gi or 500m"
    ),
]
Topology = Annotated[
    str, Matching(r"[1-9][0-9]*(x[1-9][0-9]*){1,2}", "must be a TPU topology, such as 2x2x1")
]
GkeVersion = Annotated[
    str, Matching(r"1\.[0-9]+\.[0-9]+-gke\.[0-9]+", "must be a GKE version, such as 1.34.0-gke.2201000")
]
Repository = Annotated[
    str, Matching(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", "must be OWNER/NAME, such as openai/gpt-oss-120b")
]
Image = Annotated[
    str,
    Matching(
        r"[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?",
        "must be a container image, such as vllm/vllm-tpu:v0.29.0",
    ),
]
AbsolutePath = Annotated[str, Matching(r"(/[^\s/]+)+", "must be an absolute path without a trailing /")]
Role = Annotated[
    str,
    Matching(
        r"((projects|organizations)/[a-z0-9:.-]+/)?roles/[A-Za-z0-9._]+",
        "must be an IAM role, such as roles/storage.objectViewer",
    ),
]
Cidr = Annotated[
    str, Matching(r"[0-9a-fA-F.:]+/[0-9]{1,3}", "must be a range of addresses, such as 203.0.113.0/24")
]
Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600)]
WholeSeconds = Annotated[int, Field(ge=1, le=7 * 24 * 3600)]
Count = Annotated[int, Field(ge=1)]
FlagName = Annotated[
    str,
    Matching(r"[a-z0-9][a-z0-9.-]*", "must be a flag's name without the leading --, such as max-model-len"),
]
FlagValue = bool | int | float | str
WorkloadName = Annotated[
    str,
    Matching(
        r"[a-z0-9][a-z0-9-]{0,39}",
        "must be a workload's name of 1 to 40 lower-case letters, digits or -, such as chat",
    ),
]
EnvironmentName = Annotated[
    str,
    Matching(r"[A-Za-z_][A-Za-z0-9_]*", "must be an environment variable's name, such as MODEL_IMPL_TYPE"),
]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
