"""What a change does to a site: two plans compared, and the comment that says so."""
