"""Section 3.2.3: the model, from the hub into the bucket."""
