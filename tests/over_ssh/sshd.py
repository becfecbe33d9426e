"""A real OpenSSH server on loopback, with keys and configuration of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.rehearsal.stand_in import eventually

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/login_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
LogLevel VERBOSE
SetEnv {environment}
{rules}
"""


@dataclass
class Sshd:
    """A server whose one login is who runs the tests.

    Args:
        folder: of its files.
        environment: variables that logins have.
        rules: more lines of its configuration.
    """

    folder: Path
    environment: str = "FAR=yes"
    rules: str = ""
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def up(self) -> None:
        """Start it, at the same port as before."""
        self.folder.mkdir(exist_ok=True)
        for name in ("host_key", "login_key"):
            if not (self.folder / name).exists():
                new_key(self.folder / name)
        self.port = self.port or _free_port()
        config = CONFIG.format(
            port=self.port, folder=self.folder, environment=self.environment, rules=self.rules
        )
        (self.folder / "config").write_text(config)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        command = [str(SSHD), "-D", "-f", str(self.folder / "config"), "-E", str(self.folder / "log")]
        self._process = subprocess.Popen(command)
        eventually(self._answers)
        self.know_host()

    def down(self) -> None:
        """End it, with all sessions."""
        if self._process is not None:
            self.drop_sessions()
            self._process.terminate()
            self._process.wait()
            self._process = None

    def drop_sessions(self) -> int:
        """Kill the processes of all sessions, as a network that breaks ends them; tell how many."""
        assert self._process is not None
        running = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        found = [pid for pid in running if self._serves(pid)]
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    @property
    def known_hosts(self) -> Path:
        """A file that knows this server's key."""
        return self.folder / "known_hosts"

    def know_host(self, key: str = "host_key") -> None:
        """Write a key into the file of known hosts."""
        public = (self.folder / f"{key}.pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")

    @property
    def logins(self) -> int:
        """How often somebody has logged in."""
        return (self.folder / "log").read_text().count("Accepted publickey")

    def settings(self, far: Path) -> list[str]:
        """Give the variables of a transfer over this server.

        Args:
            far: the folder on the far host.
        """
        return [
            "transfer.where=ssh",
            "transfer.ssh.host=127.0.0.1",
            f"transfer.ssh.port={self.port}",
            f"transfer.ssh.user={getpass.getuser()}",
            f"transfer.ssh.key_file={self.folder}/login_key",
            f"transfer.ssh.known_hosts={self.known_hosts}",
            f"transfer.ssh.folder={far}",
            f"transfer.ssh.python={sys.executable}",
        ]

    def _serves(self, pid: int) -> bool:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return self._process is not None and int(fields[1]) == self._process.pid

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def new_key(path: Path) -> None:
    """Make a pair of keys."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
