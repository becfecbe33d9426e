"""One run of a container: as a local process, or as one of GKE's own sidecars, which need none."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from pathlib import Path

from rehearsal.kube.api.runtime import ExecFailed, Typed
from rehearsal.kube.api.store import Object
from rehearsal.kube.node.environment import EnvironmentSource, command_line
from rehearsal.kube.node.pod import RunningPod
from rehearsal.kube.node.process import Process
from rehearsal.kube.node.programs import ProgramNotFound
from rehearsal.kube.node.typing import outcome_of, type_into
from rehearsal.kube.node.ways_out import ways_out

_GKE_SIDECARS = ("gke.gcr.io/gcs-fuse-csi-driver",)
_VLLM = re.compile(r"\bvllm\b")
_RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create"
    " failed: unable to start container process: error during container init: "
)
_EXEC = "error executing command in container: failed to exec in container: failed to start exec"
_OCI = "OCI runtime exec failed: exec failed: unable to start container process"
_GO_ON = "while :; do sleep 3600; done"


class StartFailed(Exception):  # noqa: N818 - StartError is the kubelet's word
    """The container's program cannot be started."""


class ContainerProcess:
    """The processes of one run.

    Args:
        run: how many runs there were before.

    Raises:
        ConfigurationMissing: the environment refers to what is not there.
    """

    def __init__(self, pod: RunningPod, spec: Object, run: int) -> None:
        self._pod = pod
        self._spec = spec
        self._log = pod.files.log(spec["name"], run)
        self._variables = EnvironmentSource(pod.services.store, pod.with_addresses()).variables(spec)
        self._told = pod.services.told.run_of(spec["name"])
        self._process: Process | None = None
        self._stopped = asyncio.Event()
        self._code = 0

    async def start(self) -> None:
        """Start it.

        Raises:
            StartFailed: there is no such program.
        """
        self._prepare()
        if self._spec["image"].startswith(_GKE_SIDECARS):
            self._start_sidecar()
            return
        argv = self._told_program() or command_line(self._spec, self._variables)
        if not argv:
            raise StartFailed("failed to create containerd container: no command specified")
        try:
            argv[0] = self._pod.services.programs.find(argv[0])
            self._process = await Process.start(
                self._with_local_paths(argv),
                folder=self._folder,
                environment=self._environment(),
                log=self._log,
                reaper=self._pod.services.reaper,
            )
        except ProgramNotFound as error:
            raise StartFailed(f"{_RUNC}{error}") from error
        except OSError as error:
            raise StartFailed(f'{_RUNC}exec: "{argv[0]}": {os.strerror(error.errno or 0).lower()}') from error

    def _start_sidecar(self) -> None:
        """Let one of GKE's sidecars say what it has to say; one that is told how to end has ended."""
        self._log.write_text(self._pod.sidecar_log + (self._told.log if self._told else ""))
        if self._told is not None and self._told.exit_code is not None:
            self._code = self._told.exit_code
            self._stopped.set()

    def _told_program(self) -> list[str]:
        """Give a program that does what a scenario says; nothing where none says anything."""
        if self._told is None:
            return []
        words = self._folder / "told.log"
        words.write_text(self._told.log)
        code = self._told.exit_code
        ending = _GO_ON if code is None else f"exit {code}"
        return ["sh", "-c", f'cat "$1"; {ending}', "told", str(words)]

    @property
    def told_reason(self) -> str:
        """Give the reason of its end that a scenario says; empty: the usual one."""
        return self._told.reason if self._told else ""

    def _prepare(self) -> None:
        """Make the folders and the empty log."""
        (self._folder / "tmp").mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.touch()

    @property
    def _folder(self) -> Path:
        return self._pod.files.working_folder(self._spec["name"])

    def _environment(self) -> dict[str, str]:
        description = self._pod.describe(self._spec)
        services = self._pod.services
        own = {
            "HOSTNAME": self._pod.hostname,
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder / "tmp"),
            "LANG": "C.UTF-8",
            **ways_out(services.world.addresses, services.cluster, self._pod.object),
        }
        found = {"PATH": services.programs.path, "REHEARSAL_CONTAINER": str(description)}
        return own | self._variables | found

    def _with_local_paths(self, argv: list[str]) -> list[str]:
        """Point plain programs at the local folders of mounts; vLLM's own programs find these themselves."""
        if any(_VLLM.search(word) for word in argv):
            return argv
        mounts = self._pod.mounts_of(self._spec)
        for mount in sorted(mounts, key=len, reverse=True):
            pattern = re.compile(rf"(?<![\w./-]){re.escape(mount.rstrip('/'))}(?![\w.-])")
            local = str(mounts[mount]).replace("\\", r"\\")
            argv = [pattern.sub(local, word) for word in argv]
        return argv

    async def wait(self) -> int:
        """Wait for its end; give the exit code."""
        if self._process is None:
            await self._stopped.wait()
            return self._code
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> int:
        """End it; give the exit code."""
        self._stopped.set()
        return 0 if self._process is None else await self._process.stop(grace_seconds)

    def kill(self) -> None:
        """Kill it at once."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()

    async def execute(self, command: list[str], typed: Typed | None) -> tuple[int, bytes, bytes]:
        """Run a command in the same folder and environment.

        Args:
            typed: the command's standard input; None: it has none.

        Returns:
            exit code, stdout and stderr.

        Raises:
            ExecFailed: there is no such command.
        """
        try:
            argv = self._with_local_paths([self._pod.services.programs.find(command[0]), *command[1:]])
        except ProgramNotFound as error:
            raise ExecFailed(f'{_EXEC} "{secrets.token_hex(32)}": {_OCI}: {error}: unknown') from error
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=self._folder,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL if typed is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._pod.services.reaper.watch(process.pid)
        typing = asyncio.create_task(type_into(process.stdin, typed))
        try:
            output, errors = await outcome_of(process)
        finally:
            typing.cancel()
            self._pod.services.reaper.forget(process.pid)
        return process.returncode or 0, output, errors
