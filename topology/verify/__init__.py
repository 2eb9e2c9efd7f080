"""The real consumers of a built plan, run on it: what they read back and what they would do with it."""
