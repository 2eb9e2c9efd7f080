"""The inventory in NetBox, through its REST API and pynetbox."""
