"""Cloud Storage: buckets, objects and IAM policies over the JSON API, streamed to files on disk."""

from rehearsal.storage.routes import add_routes

__all__ = ["add_routes"]
