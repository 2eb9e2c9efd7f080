"""The inventory in Nautobot, through its REST API and pynautobot."""
