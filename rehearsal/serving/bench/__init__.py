"""A client with the command line and the result block of `vllm bench serve`, which really sends requests."""
