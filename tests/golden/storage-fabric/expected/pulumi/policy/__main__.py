"""What no stack of storage-fabric may hold.

    pulumi preview -s all --policy-pack policy
"""

from topology.deploy.policy import pack

pack("storage-fabric")
