"""What is known to go wrong with deployments of this kind: causes, remedies, the words that show them."""
