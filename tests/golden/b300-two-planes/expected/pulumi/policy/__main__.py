"""What no stack of b300-two-planes may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("b300-two-planes")
