"""A server with vLLM's command line, start-up log, HTTP API and metrics, and no model behind it."""
