"""Repositories of any size whose weights are made while they are sent, and never stored."""

from rehearsal.hub.made.repositories import MadeRepositories
from rehearsal.hub.made.shard import RECIPE

__all__ = ["RECIPE", "MadeRepositories"]
