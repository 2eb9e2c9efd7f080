"""What no stack of split-clusters may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("split-clusters")
