"""Kubernetes as the clusters of the stand-in serve it: API server, controllers, nodes."""
