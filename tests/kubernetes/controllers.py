"""What the controllers of a whole cluster would do, done by hand: none of them runs beside the API server."""


def remove_namespaces(server):
    """Let namespaces go that are being deleted; what is in them is no more."""
    for each in server.objects(server.kind("v1", "Namespace")):
        if "deletionTimestamp" in each["metadata"]:
            path = f"/api/v1/namespaces/{each['metadata']['name']}/finalize"
            server.must("PUT", path, body={**each, "spec": {"finalizers": []}})


def join(server, names):
    """Let nodes join as their kubelets do: with no more than a name."""
    bodies = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in names]
    server.each(lambda body: server.must("POST", "/api/v1/nodes", body=body), bodies)
