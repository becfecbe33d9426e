"""The variables: layers of YAML files and settings, one typed schema, and where each value came from."""
