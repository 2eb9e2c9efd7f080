"""What stops work on an API server, said in lines for its user."""


class KubernetesError(Exception):
    """A file, the connection or the server refused; one line for each cause, no traceback needed."""
