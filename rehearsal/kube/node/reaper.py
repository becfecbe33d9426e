"""The reaper: a small shell that kills all containers when the stand-in dies, even by kill -9."""

from __future__ import annotations

import subprocess

_SCRIPT = """
trap '' HUP INT TERM
groups=' '
while read -r verb group; do
  case $verb$groups in
    watch*) groups="$groups$group " ;;
    forget*" $group "*) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""


class Reaper:
    """Holds a pipe to the shell; its end, for whatever reason, is the signal to kill the process groups."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()

    def watch(self, group: int) -> None:
        """Kill this process group, too, when the stand-in is gone."""
        if group not in self._groups:
            self._groups.add(group)
            self._tell("watch", group)

    def forget(self, group: int) -> None:
        """Take no more care of a process group that has ended; who stops it and who awaits it both say so."""
        if group in self._groups:
            self._groups.remove(group)
            self._tell("forget", group)

    def close(self) -> None:
        """Kill what is left and end the shell."""
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()
            self._shell.wait()
            self._shell = None

    def _tell(self, verb: str, group: int) -> None:
        if self._shell is None or self._shell.poll() is not None:
            self._start()
        elif self._shell.stdin is not None:
            self._shell.stdin.write(f"{verb} {group}\n".encode())

    def _start(self) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        for group in self._groups:
            self._tell("watch", group)
