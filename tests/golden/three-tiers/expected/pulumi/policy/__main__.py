"""What no stack of three-tiers may hold.

    pulumi preview -s s1 --policy-pack policy
"""

from topology.deploy.policy import pack

pack("three-tiers")
