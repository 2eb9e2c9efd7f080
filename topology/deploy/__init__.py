"""Deployment: what Pulumi resources write to."""
