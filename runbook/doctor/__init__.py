"""What stands in the way before money is spent (preflight), and what went wrong after (diagnosis)."""
