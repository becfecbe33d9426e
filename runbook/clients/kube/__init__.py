"""Kubernetes: server-side apply, watches, logs and the port-forward, without typed APIs or discovery."""
