"""Hosts over SSH: the one that the model goes through, and the one that a private cluster is behind."""

from typing import Annotated, ClassVar

from pydantic import Field

from runbook.config.types import Group, Matching, Port, Text

HostName = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9][A-Za-z0-9._-]*|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*",
        "must be a host's name or address, or a Host of ~/.ssh/config, without user and port",
        empty=True,
    ),
]
RemoteFolder = Annotated[
    str,
    Matching(
        r"(?!.*(^|/)\.{1,2}(/|$))/?[A-Za-z0-9._+=@-]+(/[A-Za-z0-9._+=@-]+)*",
        "must be a folder there, absolute or seen from the login's home, such as .cache/runbook",
    ),
]
Program = Annotated[
    str,
    Matching(r"[A-Za-z0-9._+/-]+", "must be a program's name or path there, such as python3.12"),
]


class SshLogin(Group):
    """A host over SSH, and who logs in there."""

    variable: ClassVar[str]
    """The group's own name, for errors."""

    host: HostName = Field(description="name or address of the host; empty: none")
    user: Text | None = Field(description="login there; null: as ~/.ssh/config says, else this machine's")
    port: Port | None = Field(description="its port; null: as ~/.ssh/config says, else 22")
    key_file: Text | None = Field(
        description="private key; null: those of the agent, of ~/.ssh/config, and the usual ones"
    )
    known_hosts: Text | None = Field(
        description="file with the host's key, which is always checked; null: ~/.ssh/known_hosts"
    )


class Ssh(SshLogin):
    """The host near the bucket that the bytes go through, where transfer.where is ssh."""

    variable = "transfer.ssh"

    python: Program = Field(description="Python 3.11 or newer there")
    folder: RemoteFolder = Field(description="folder there for program and journal, from the login's home")


class Bastion(SshLogin):
    """The host that a private cluster's API is reached through."""

    variable = "bastion"

    local_port: Port = Field(
        description="port of this machine that commands typed by hand use; a run takes a free one"
    )
