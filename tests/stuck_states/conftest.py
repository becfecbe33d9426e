"""One cloud for all stuck states of a file."""

from tests.steps_kube.conftest import place, prepared

__all__ = ["place", "prepared"]
