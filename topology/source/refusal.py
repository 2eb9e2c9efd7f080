"""A text that cannot be had, and what to write instead."""


class TextError(Exception):
    """A spec, revision or built folder is not to be had; wrong use, not a finding."""

    def __init__(self, message: str, help_: str) -> None:
        self.message, self.help = message, help_
        super().__init__(message)
