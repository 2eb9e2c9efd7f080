"""What differs between two plans, as rows of their tables: one `Delta`."""
