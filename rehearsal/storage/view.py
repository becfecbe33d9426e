"""What a cluster's mounts see of the buckets."""

from __future__ import annotations

from pathlib import Path

from rehearsal.storage import iam
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.catalogue import Catalogue


class View:
    """Cloud Storage without HTTP, for the stand-in's own nodes.

    Args:
        catalogue: what is there.
        blobs: where the bytes are.
    """

    def __init__(self, catalogue: Catalogue, blobs: Blobs) -> None:
        self._catalogue = catalogue
        self._blobs = blobs

    def bucket_exists(self, bucket: str) -> bool:
        """Tell whether the bucket is there."""
        return bucket in self._catalogue.buckets

    def allowed(self, bucket: str, member: str, permission: str) -> bool:
        """Tell whether the bucket's IAM policy gives the member (`principal://...`) that permission."""
        policy = self._catalogue.policies.get(bucket)
        return policy is not None and iam.allows(policy, member, permission)

    def files(self, bucket: str, prefix: str) -> dict[str, Path]:
        """Map the objects under the prefix, except placeholders of folders, to their local files."""
        return {
            name: self._blobs.path(row["blob"])
            for name, row in self._catalogue.objects(bucket).items()
            if name.startswith(prefix) and not name.endswith("/")
        }
