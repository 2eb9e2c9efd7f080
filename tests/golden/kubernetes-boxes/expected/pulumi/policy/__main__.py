"""What no stack of boxes may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("boxes")
