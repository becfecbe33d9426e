"""Section 1: who works here, and where."""
