"""The Kubernetes API server of one cluster: objects, apply, watch, logs, over HTTP."""
