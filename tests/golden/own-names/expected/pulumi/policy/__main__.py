"""What no stack of own-names may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("own-names")
