"""A side that cannot be compared, and what to write instead."""


class SideError(Exception):
    """One side of a comparison is not to be had; wrong use, not a finding."""

    def __init__(self, message: str, help_: str) -> None:
        self.message, self.help = message, help_
        super().__init__(message)
