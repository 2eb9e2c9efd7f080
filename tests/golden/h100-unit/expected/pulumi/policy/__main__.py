"""What no stack of h100-unit may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("h100-unit")
