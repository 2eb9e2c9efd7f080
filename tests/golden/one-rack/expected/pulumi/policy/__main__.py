"""What no stack of one-rack may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("one-rack")
