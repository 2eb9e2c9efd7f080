"""What no stack of nvl may hold.

    pulumi preview -s s1 --policy-pack policy
"""

from topology.deploy.policy import pack

pack("nvl")
