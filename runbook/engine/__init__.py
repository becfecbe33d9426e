"""The engine: what a step is, and how a line of steps is planned, run and kept. It knows no cloud."""
