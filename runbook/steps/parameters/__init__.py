"""Section 2.1: the values that the guide has the operator export."""
