"""How fast a model gets from the hub into Cloud Storage, on the ways that people go, and what it costs."""
