"""The one exception of every inventory."""

from topology.deploy.stop import DeployError


class InventoryError(DeployError):
    """The inventory refuses or cannot be reached; `message` is one line, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(f"{message}; {hint}" if hint else message)
