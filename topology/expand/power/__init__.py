"""The power tree: from racks up to the sources, counts derived from load, rating and redundancy."""
