"""A Cloud Storage that throws every byte away: what is measured is the client, and not a disk."""
