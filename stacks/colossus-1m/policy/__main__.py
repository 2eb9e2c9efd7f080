"""What no stack of colossus-1m may hold.

    pulumi preview -s s01 --policy-pack policy
"""

from topology.deploy.policy import pack

pack("colossus-1m", power_tree=False, sources=False)
