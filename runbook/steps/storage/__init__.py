"""Sections 3.1, 3.2.1, 3.2.2 and 3.3: the bucket, as storage and as a file system, and who may read it."""
