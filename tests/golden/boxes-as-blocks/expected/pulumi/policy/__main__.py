"""What no stack of boxes-as-blocks may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("boxes-as-blocks")
