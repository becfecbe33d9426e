"""What a node does: containers as local processes, volumes, probes, logs, Service addresses."""
