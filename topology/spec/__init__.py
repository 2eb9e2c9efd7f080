"""Text to ClusterSpec: schema, defaults, and what the parts of a spec must agree on."""
