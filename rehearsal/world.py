"""What every API of the stand-in shares: its folder, settings, time, memory and neighbours."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rehearsal.documents import Database
from rehearsal.front.faults import Faults
from rehearsal.front.requests import RequestLog
from rehearsal.principals import Principals
from rehearsal.project_facts import ToldFacts

STAND_IN, VLLM = PROGRAMS = ("stand-in", "vllm")
_NUMBERS = ("time_scale", "latency_ms", "hub_url_lifetime_s", "step_ms", "prefill_tokens_per_s")


@dataclass
class Settings:
    """What the operator may set while the stand-in runs (variables `rehearsal.*`).

    Args:
        time_scale: 1 = the durations of the real cloud; 0.01 = a hundredth of them; 0 = at once.
        latency_ms: added to every request of an API, in milliseconds.
        hub_url_lifetime_s: how long a URL of the hub's CDN can be used, in seconds.
        step_ms: time of the model server's decode step, in milliseconds; 0 = as fast as this machine goes.
        prefill_tokens_per_s: prompt tokens that it works off a second; 0 = at once.
        engine: the program of server containers, "stand-in" or "vllm".
        bench_client: the program of benchmark containers, "stand-in" or "vllm".
        vllm_environment: folder of a Python environment with vLLM, for "vllm"; it has bin/python.
    """

    time_scale: float = 0.0
    latency_ms: float = 0.0
    hub_url_lifetime_s: float = 3600.0
    step_ms: float = 0.0
    prefill_tokens_per_s: float = 0.0
    engine: str = STAND_IN
    bench_client: str = STAND_IN
    vllm_environment: str = ""

    def __post_init__(self) -> None:
        for name in ("engine", "bench_client"):
            if getattr(self, name) not in PROGRAMS:
                raise ValueError(f"{name} is {getattr(self, name)!r}: it must be {' or '.join(PROGRAMS)}")
        for name in _NUMBERS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ValueError(f"{name} is {value!r}: it must be a number, 0 or more")

    def require_programs(self) -> None:
        """Refuse programs that are not there; one that goes later keeps nobody from starting the stand-in.

        Raises:
            ValueError: the real vLLM is asked for, and its environment has no interpreter.
        """
        if VLLM not in (self.engine, self.bench_client):
            return
        if not Path(self.vllm_environment).is_absolute() or not os.access(self._vllm_python, os.X_OK):
            raise ValueError(
                f"vllm_environment is {self.vllm_environment!r}: vllm is asked for, and that is no folder"
                " (from / on) with a bin/python"
            )

    def real_programs(self) -> dict[str, str]:
        """Give the interpreter of each program that is the real one, by its name in the containers."""
        chosen = {"server": self.engine, "bench": self.bench_client}
        return {name: str(self._vllm_python) for name, program in chosen.items() if program == VLLM}

    @property
    def starting_scale(self) -> float:
        """How the time passes that a manifest leaves a program to start; a real one gets all of it."""
        return max(1.0, self.time_scale) if self.engine == VLLM else self.time_scale

    @property
    def _vllm_python(self) -> Path:
        return Path(self.vllm_environment) / "bin" / "python"


class StorageView(Protocol):
    """What a cluster sees of Cloud Storage: enough for a mount."""

    def bucket_exists(self, bucket: str) -> bool:
        """Tell whether the bucket is there."""
        ...

    def allowed(self, bucket: str, member: str, permission: str) -> bool:
        """Tell whether the bucket's IAM policy gives the member that permission."""
        ...

    def files(self, bucket: str, prefix: str) -> Mapping[str, Path]:
        """Map each object's name under the prefix to the local file that holds its bytes."""
        ...


class Clusters(Protocol):
    """What GKE asks of the Kubernetes side: one API server for each cluster."""

    async def create(self, key: str, facts: Mapping[str, Any]) -> Access:
        """Start the API server of a new cluster, or of one known from before a restart."""
        ...

    async def update(self, key: str, facts: Mapping[str, Any]) -> None:
        """Tell a cluster its add-ons, workload pool and the Nodes it should have now."""
        ...

    async def delete(self, key: str) -> None:
        """Stop the API server and forget all of its objects."""
        ...

    def describe(self) -> None:
        """Tell all containers the settings of now."""
        ...


@dataclass(frozen=True)
class Access:
    """How to reach a cluster's API server.

    Args:
        endpoint: host:port, served over TLS.
        ca_certificate: PEM of the authority that signed its certificate.
    """

    endpoint: str
    ca_certificate: str


@dataclass
class World:
    """One stand-in cloud in one folder.

    Args:
        home: the folder `.rehearsal`, mode 0700; all state lives below it.
        token: the operator's bearer token, which may do everything.
        addresses: where the APIs listen, by name; nothing until they do.
        principals: who else has a token.
    """

    home: Path
    token: str
    database: Database
    settings: Settings = field(default_factory=Settings)
    storage: StorageView | None = None
    clusters: Clusters | None = None
    addresses: dict[str, str] = field(default_factory=dict)
    principals: Principals = field(default_factory=Principals)
    requests: RequestLog = field(init=False)
    faults: Faults = field(init=False)
    project: ToldFacts = field(init=False)

    @classmethod
    def open(cls, home: Path) -> World:
        """Open the stand-in of a folder, or found one there: its token, its memory, its settings."""
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database(home / "state.sqlite")
        settings = Settings(**database.collection("settings").get("settings", {}))
        return cls(home, _token(home / "token"), database, settings)

    @property
    def token_file(self) -> Path:
        """Where clients find the token."""
        return self.home / "token"

    def change_settings(self, settings: Settings) -> None:
        """Behave so from now on, and after a restart."""
        self.settings = settings
        self.database.collection("settings")["settings"] = asdict(settings)

    def __post_init__(self) -> None:
        self.requests = RequestLog(self.home / "requests.jsonl")
        self.faults = Faults(self.database.collection("faults"))
        self.project = ToldFacts(self.database.collection("project"))

    async def pass_time(self, seconds: float) -> None:
        """Wait as long as the real cloud would take, scaled by `time_scale`.

        Args:
            seconds: the duration on the real cloud.
        """
        await asyncio.sleep(seconds * self.settings.time_scale)


def _token(path: Path) -> str:
    """Read the bearer token, or make one that looks like Google's."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"ya29.rehearsal-{secrets.token_urlsafe(32)}")
    return path.read_text().strip()
