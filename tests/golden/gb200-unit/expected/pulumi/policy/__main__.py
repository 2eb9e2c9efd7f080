"""What no stack of gb200-unit may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("gb200-unit")
