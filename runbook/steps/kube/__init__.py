"""Steps of sections 4.1 to 4.4 and 5.3: credentials, manifests, rollout, port-forward, clean-up."""
