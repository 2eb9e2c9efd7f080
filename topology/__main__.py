"""`python -m topology`."""

from topology.cli import main

main()
