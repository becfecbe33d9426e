"""The clients of the cloud: the only place that imports an SDK."""
