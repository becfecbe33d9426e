"""The steps of deploy, smoke and bench, one at a time, on a stand-in with cluster, node pool and model."""

from __future__ import annotations

import atexit
import importlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from runbook.clients.connections import Connections
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import to_gke
from runbook.clients.kube.objects import Object, Reference
from runbook.config.load import Loaded, load
from runbook.engine.change import Change
from runbook.engine.events import StepFace
from runbook.engine.execution import Execution
from runbook.engine.facts import Facts
from runbook.engine.outcome import Outcome, Status
from runbook.steps.context import Context
from runbook.steps.gke import reads
from tests.rehearsal.stand_in import StandIn

ROOT = Path(__file__).parents[2]
SETUP = (
    "gke.cluster",
    "gke.node_pool",
    "storage.bucket",
    "storage.folder",
    "model.upload",
    "storage.iam_member",
)
SERVER = {"template": "vllm-tpu.yaml.j2"}
BENCHMARK = {"template": "vllm-benchmark.yaml.j2"}
TEMPLATES = {"templates": ["vllm-benchmark.yaml.j2", "vllm-tpu.yaml.j2"]}
RENDERED = {"template": "vllm-tpu.yaml.j2", "to": "vllm-tpu.yaml"}
DEPLOYMENT = Reference("apps/v1", "Deployment", "default", "vllm-tpu")
SERVICE = Reference("v1", "Service", "default", "vllm-service")


@dataclass
class Voice:
    """Keeps what a step tells."""

    conditions: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def condition(self, text: str) -> None:
        self.conditions.append(text)

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        pass

    def output(self, text: str) -> None:
        self.outputs.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


@dataclass
class Place:
    """A stand-in, variables, and the engine for lines of steps.

    Args:
        cloud: the stand-in.
        loaded: the variables of the environment `rehearsal`, with the test's own settings.
        run_id: of the lines that it runs.
        root: of the repository; another has other manifests.
        ask: says whether a loss is accepted.
    """

    cloud: StandIn
    loaded: Loaded
    run_id: str = "20261123-154200-1a2b"
    voice: Voice = field(default_factory=Voice)
    pause: Callable[[float], None] = time.sleep
    root: Path = ROOT
    ask: Callable[[Change], bool] = lambda change: True

    def with_settings(self, *settings: str, run_id: str = "20261123-154200-1a2b") -> Place:
        """The same cloud with other variables."""
        return Place(self.cloud, variables_with(*settings), run_id, root=self.root)

    def with_manifest(self, *edits: tuple[str, str]) -> Place:
        """The same cloud, and a server's manifest that the operator has edited.

        Args:
            edits: a regular expression, which must match once, and what stands there instead.
        """
        text = (ROOT / "manifests" / SERVER["template"]).read_text()
        for pattern, wanted in edits:
            text, times = re.subn(pattern, wanted, text, flags=re.MULTILINE | re.DOTALL)
            assert times == 1, pattern
        root = Path(tempfile.mkdtemp(dir=self.home))
        (root / "manifests").mkdir()
        (root / "manifests" / SERVER["template"]).write_text(text)
        return Place(self.cloud, self.loaded, self.run_id, root=root)

    @property
    def home(self) -> Path:
        """RUNBOOK_HOME."""
        return self.cloud.home.parent

    def check(self, uses: str, **arguments: Any) -> Outcome:
        """Check one step."""
        return self.line((uses, arguments), check=True)[-1]

    def apply(self, uses: str, **arguments: Any) -> Outcome:
        """Run one step."""
        return self.line((uses, arguments), check=False)[-1]

    def deploy(self) -> Outcome:
        """Run 4.1 to 4.3, which must go well; give the outcome of 4.3."""
        outcomes = self.line(
            ("kube.credentials", {}), ("kube.render", RENDERED), ("kube.apply", SERVER), check=False
        )
        for outcome in outcomes:
            assert outcome.error is None, outcome.error
        return outcomes[-1]

    def converges(self, uses: str, **arguments: Any) -> list[str]:
        """Check, apply and check a step that has something to do; give the paths of its differences.

        What holds for every step: a check writes nothing, the plan is what is done, then nothing is left.
        """
        before = len(self.writes())
        planned = self.check(uses, **arguments)
        assert planned.status is Status.WOULD_CHANGE, planned
        assert self.writes()[before:] == []
        done = self.apply(uses, **arguments)
        assert done.status is Status.CHANGED, done.error
        assert faces(done) == faces(planned)
        again = self.check(uses, **arguments)
        assert (again.status, again.changes) == (Status.OK, ()), again
        return paths(done.changes)

    def writes(self) -> list[str]:
        """All requests that the stand-in got and that were meant to change something."""
        return [
            f"{entry['method']} {entry['path']}"
            for entry in self.cloud.control("GET", "requests")
            if entry["method"] not in {"GET", "HEAD"}
            and "dryRun=All" not in entry["path"]
            and "/_rehearsal/" not in entry["path"]
        ]

    def asked(self, before: int = 0) -> list[str]:
        """Give the methods of the requests to the cluster since the first so many.

        Watches and followed logs are left out: the stand-in lists them when it sees that they were hung up,
        so those of an earlier rollout may come up only now.
        """
        since = self.cloud.logged(api="kubernetes")[before:]
        streams = ("watch=true", "follow=true")
        return [entry["method"] for entry in since if not any(mark in entry["path"] for mark in streams)]

    def line(self, *steps: tuple[str, dict[str, Any]], check: bool) -> list[Outcome]:
        """Run steps as one line does."""
        connections = Connections(self.loaded.variables, self.home)
        with ExitStack() as kept:
            context = self._context(connections, kept, check=check)
            try:
                return [self._step(uses, arguments, context) for uses, arguments in steps]
            finally:
                connections.close()

    @contextmanager
    def cluster(self, through: str = "") -> Iterator[KubeClient]:
        """Reach the cluster as somebody else would.

        Args:
            through: host and port of what leads there; empty: the cluster's own.
        """
        connections = Connections(self.loaded.variables, self.home)
        try:
            access = reads.access(self._context(connections, ExitStack(), check=False))
            folder = self.home / ".runs"
            found = to_gke(through or access.endpoint, access.ca_certificate, connections.credentials)
            yield KubeClient(found, folder)
        finally:
            connections.close()

    def get(self, reference: Reference) -> Object | None:
        """Read an object of the cluster."""
        with self.cluster() as cluster:
            return cluster.get(reference)

    def patch(self, reference: Reference, patch: Object, manager: str = "somebody") -> None:
        """Change an object of the cluster as somebody else would."""
        with self.cluster() as cluster:
            cluster.merge_patch(reference, patch, field_manager=manager)

    def claim_field(self, wanted: Object, manager: str) -> None:
        """Own fields of an object of the cluster by server-side apply, as another tool would."""
        with self.cluster() as cluster:
            cluster.apply(wanted, field_manager=manager, force=True)

    def delete(self, *references: Reference) -> None:
        """Delete objects of the cluster as somebody else would."""
        with self.cluster() as cluster:
            for reference in references:
                cluster.delete(reference)

    def of_kind(self, api_version: str, kind: str) -> list[Reference]:
        """List what this project made in the cluster."""
        namespace = "" if kind == "PersistentVolume" else "default"
        with self.cluster() as cluster:
            labels = {"app.kubernetes.io/managed-by": "runbook"}
            return [Reference.to(item) for item in cluster.list(api_version, kind, namespace, labels=labels)]

    def _step(self, uses: str, arguments: dict[str, Any], context: Context) -> Outcome:
        module = importlib.import_module(f"runbook.steps.{uses}")
        return Execution(
            face=StepFace(uses, uses, uses, ()),
            generate=lambda: module.run(module.Arguments(**arguments), context),
            check=context.check,
            retries=0,
            facts=context.facts,
            notify=lambda event: None,
            ask=self.ask,
            pause=self.pause,
        ).run()

    def _context(self, connections: Connections, kept: ExitStack, *, check: bool) -> Context:
        return Context(
            environment="rehearsal",
            variables=self.loaded.variables,
            tree=self.loaded.tree,
            root=self.root,
            home=self.home,
            run_id=self.run_id,
            check=check,
            facts=Facts(),
            connections=connections,
            report=self.voice,
            keep=kept.enter_context,
            pause=self.pause,
        )


def faces(outcome: Outcome) -> list[tuple[Any, ...]]:
    """What an operator sees of an outcome's changes."""
    return [
        (json.dumps([vars(item) for item in change.differences]), tuple(change.command), change.warning)
        for change in outcome.changes
    ]


def paths(changes: Sequence[Change]) -> list[str]:
    """The paths of all differences."""
    return [difference.path for change in changes for difference in change.differences]


def variables_with(*settings: str) -> Loaded:
    """The variables of the environment `rehearsal`, with settings such as `server.replicas=0`."""
    of_files = any("{file:" in setting for setting in settings)  # such a file's content may be another by now
    return (_loaded.__wrapped__ if of_files else _loaded)(settings)


@cache
def _loaded(settings: tuple[str, ...]) -> Loaded:
    return load(ROOT, "rehearsal", settings, {})


@contextmanager
def prepared_in(home: Path) -> Iterator[Place]:
    """Open a stand-in in a folder, with cluster, node pool and model.

    They are made once in this process; each place gets a copy of all that the stand-in had written.

    Args:
        home: RUNBOOK_HOME.
    """
    shutil.copytree(_prepared_once(), home, dirs_exist_ok=True)
    with _place_in(home) as place:
        yield place


@cache
def _prepared_once() -> Path:
    home = Path(mkdtemp(prefix="prepared-"))
    atexit.register(shutil.rmtree, home)
    with _place_in(home) as place:
        for outcome in place.line(*((uses, {}) for uses in SETUP), check=False):
            assert outcome.error is None, outcome.error
    return home


@contextmanager
def _place_in(home: Path) -> Iterator[Place]:
    cloud = StandIn(home / ".rehearsal")
    cloud.up()
    try:
        yield Place(cloud, variables_with())
    finally:
        cloud.session.close()
        cloud.down()
