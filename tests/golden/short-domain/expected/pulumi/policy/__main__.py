"""What no stack of short-domain may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("short-domain")
