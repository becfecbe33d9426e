"""A genuine, tiny gpt-oss checkpoint in the file layout of openai/gpt-oss-120b, made from nothing."""

from rehearsal.hub.checkpoint.layout import build

__all__ = ["build"]
