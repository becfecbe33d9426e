"""The variables: layers of YAML files and settings, one typed schema, and where each value came from."""

import os

# pydantic would look through every installed package for plugins: 10 to 20 ms of each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
