"""The programs that a container finds: this machine's own, and vLLM's as the rehearsal has them."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import rehearsal

_SOURCES = Path(rehearsal.__file__).parent.parent
_RUN = (
    f"exec env PYTHONPATH={shlex.quote(str(_SOURCES))} PYTHONUNBUFFERED=1"
    f" {shlex.quote(sys.executable)} -m rehearsal.serving."
)
_VLLM = f"""#!/bin/sh
case "$1 $2" in
  "serve "*) shift; {_RUN}server "$@" ;;
  "bench serve") shift 2; {_RUN}bench "$@" ;;
  "--version ") {_RUN}vllm --version ;;
esac
echo "vllm: the rehearsal has 'vllm serve', 'vllm bench serve' and 'vllm --version' only, not 'vllm $*'" >&2
exit 2
"""
_PYTHON = f"""#!/bin/sh
if [ "$1 $2" = "-m vllm.entrypoints.openai.api_server" ]; then shift 2; {_RUN}server "$@"; fi
exec {shlex.quote(sys.executable)} "$@"
"""
_WRAPPERS = {"vllm": _VLLM, "python3": _PYTHON, "python": _PYTHON}


class ProgramNotFound(Exception):  # noqa: N818 - as exec.ErrNotFound
    """The container's command names no program, in containerd's words."""


class Programs:
    """A folder of wrappers that stands first in every container's PATH.

    Args:
        folder: where the wrappers are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, script in _WRAPPERS.items():
            wrapper = folder / name
            if not wrapper.exists() or wrapper.read_text() != script:
                wrapper.write_text(script)
                wrapper.chmod(0o700)

    @property
    def path(self) -> str:
        """Give the PATH of containers."""
        return os.pathsep.join([str(self._folder), os.environ.get("PATH", os.defpath)])

    def find(self, program: str) -> str:
        """Find the file to execute.

        Raises:
            ProgramNotFound: this machine has no such program.
        """
        found = shutil.which(program, path=self.path)
        if found is not None:
            return found
        if "/" in program:
            raise ProgramNotFound(f'exec: "{program}": stat {program}: no such file or directory')
        raise ProgramNotFound(f'exec: "{program}": executable file not found in $PATH')
