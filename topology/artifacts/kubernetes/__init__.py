"""Kubernetes: the files of every cell, of the federation above them, and jobs to try them with."""
