"""What no stack of slurm-24-11-block may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("slurm-24-11-block")
