"""What no stack of superpod-h100 may hold.

    pulumi preview -s s1 --policy-pack policy
"""

from topology.deploy.policy import pack

pack("superpod-h100", power_tree=False, sources=False)
