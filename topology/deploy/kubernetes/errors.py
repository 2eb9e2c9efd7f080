"""What stops work on an API server, said in lines for its user."""

from collections.abc import Sequence

SHOWN = 20  # refusals: what is wrong with more nodes than that is wrong with all of them


class KubernetesError(Exception):
    """A file, the connection or the server refused; one line for each cause, no traceback needed."""


def stop_at(refusals: Sequence[str]) -> None:
    """Raise the refusals, if there are any.

    Raises:
        KubernetesError: with the first `SHOWN` of them, and how many more there are.
    """
    more = len(refusals) - SHOWN
    if refusals:
        raise KubernetesError("\n".join([*refusals[:SHOWN], *([f"and {more:,} more"] if more > 0 else [])]))
