"""The kinds that CustomResourceDefinitions add to a cluster."""
