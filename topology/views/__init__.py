"""What later rooms count from a plan: records and their owners, node labels, rails, quotas, supply, failures."""
