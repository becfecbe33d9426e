"""How long a converged `inv setup deploy` takes, beside an Ansible playbook of as many ok tasks.

    python -m benchmarks.converged PATH_OF_ansible-playbook

ansible-core is a user's own program: install it into a virtual environment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Contender, compare

ROOT = Path(__file__).parents[1]
TASKS = 15
HEAD = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
TASK = "    - name: task {number}\n      ansible.builtin.stat:\n        path: /\n"


def main(ansible_playbook: str) -> None:
    """Converge a rehearsal, then print the table."""
    inv = (sys.executable, "-m", "invoke")
    with tempfile.TemporaryDirectory() as folder:
        environ = os.environ | {"RUNBOOK_HOME": folder, "ANSIBLE_LOCALHOST_WARNING": "false"}
        playbook = Path(folder) / "playbook.yml"
        playbook.write_text(HEAD + "".join(TASK.format(number=number) for number in range(TASKS)))
        subprocess.run([*inv, "setup", "deploy"], cwd=ROOT, env=environ, check=True, capture_output=True)
        contenders = [
            Contender("inv setup deploy, converged", [*inv, "setup", "deploy"], ROOT, environ),
            Contender(
                f"ansible-playbook, {TASKS} ok tasks",
                [ansible_playbook, str(playbook)],
                Path(folder),
                environ,
            ),
        ]
        try:
            print(compare(contenders, rounds=5))
        finally:
            subprocess.run([*inv, "rehearsal.down"], cwd=ROOT, env=environ, check=True, capture_output=True)


if __name__ == "__main__":
    main(sys.argv[1])
