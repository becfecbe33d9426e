"""How long SSH is waited for, by the client of this program and by the operator's own `ssh` alike.

Apart from the client, so that who only writes an `ssh` command down does not load it.
"""

from typing import Final

CONNECT_SECONDS: Final = 15
KEEP_ALIVE_SECONDS: Final = 15
