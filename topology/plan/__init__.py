"""What a plan is: its tables, its names, and how it is stored."""

from topology.plan.plan import Plan

__all__ = ["Plan"]
