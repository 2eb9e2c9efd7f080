"""The Pulumi project of a cluster: one stack per stage, and what each stack deploys."""
