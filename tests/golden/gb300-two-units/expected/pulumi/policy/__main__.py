"""What no stack of gb300-two-units may hold.

    pulumi preview -s first --policy-pack policy
"""

from topology.deploy.policy import pack

pack("gb300-two-units")
