"""What `pulumi up` does: components, providers, gates. Every stacks/*/__main__.py is made of these."""
