"""Products: one YAML file each, with counts, units and a source for every figure."""
