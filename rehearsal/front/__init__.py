"""What stands before every API of the stand-in: the request log, the bearer token, latency and faults."""

from rehearsal.front.middlewares import middlewares

__all__ = ["middlewares"]
