"""Slurm: views of a plan as slurmctld wants them, and the files that templates make of them."""
