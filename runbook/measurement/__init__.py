"""A benchmark as a measurement: its figures read from any vLLM's output, judged, kept as one document."""
