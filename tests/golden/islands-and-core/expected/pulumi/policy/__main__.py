"""What no stack of islands-and-core may hold.

    pulumi preview -s s1 --policy-pack policy
"""

from topology.deploy.policy import pack

pack("islands-and-core")
