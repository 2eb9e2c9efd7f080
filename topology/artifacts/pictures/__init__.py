"""Pictures of the site: its floor plan, and the racks of each hall from the front, as SVG."""
