"""What no stack of power-tree may hold.

    pulumi preview -s s1 --policy-pack policy
"""

from topology.deploy.policy import pack

pack("power-tree")
