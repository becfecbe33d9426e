"""How fast a forwarded port is, beside kubectl and the Python client."""
