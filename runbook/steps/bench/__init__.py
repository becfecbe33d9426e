"""Steps of sections 5.1 and 5.2: the benchmark's Job and its result."""
