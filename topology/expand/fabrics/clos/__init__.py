"""What Clos kinds share: ports of a switch, leaves, the shape of a tree, and its wiring."""
