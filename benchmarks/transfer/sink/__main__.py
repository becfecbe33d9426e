"""`python -m benchmarks.transfer.sink HOST:PORT`: be the sink before a stand-in, and print the own port."""

from __future__ import annotations

import sys
from http.server import ThreadingHTTPServer

from benchmarks.transfer.sink.handler import Handler
from benchmarks.transfer.sink.objects import Objects


class Server(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128


def main(stand_in: str) -> None:
    """Serve until somebody ends the process."""
    Handler.objects, Handler.stand_in = Objects(), stand_in
    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
