"""The programs that containers run: a vLLM-shaped server and a `vllm bench serve`-shaped client."""
