"""The control API: what the operator tells the stand-in itself, under /_rehearsal/ on the google port."""

from rehearsal.control.routes import add_routes

__all__ = ["add_routes"]
