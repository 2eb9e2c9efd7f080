"""Nautobot as the tests start it: its configuration, its user, its packages (`nautobot-requirements.txt`)."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from topology.verify.inventory_server import Application
from topology.verify.stores import Stores

VERSION = "3.2.7"
SETTINGS = "from nautobot.core.settings import *  # noqa: F403\n"
SEED = """
from django.contrib.auth import get_user_model
from nautobot.users.models import Token
user = get_user_model().objects.create(username="tests", is_superuser=True, is_staff=True, is_active=True)
print(f"token={Token.objects.create(user=user).key}")
"""


def _settings(stores: Stores) -> Mapping[str, str]:
    config = stores.folder / "nautobot_config.py"
    config.write_text(SETTINGS)
    values = {
        "ROOT": stores.folder / "nautobot",
        "CONFIG": config,
        "SECRET_KEY": secrets.token_hex(32),
        "DB_HOST": "127.0.0.1",
        "DB_PORT": stores.postgres_port,
        "DB_NAME": stores.database,
        "DB_USER": stores.database,
        "DB_PASSWORD": "",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": stores.redis_port,
        "ALLOWED_HOSTS": "127.0.0.1",
        "INSTALLATION_METRICS_ENABLED": "False",
    }
    return {f"NAUTOBOT_{key}": str(value) for key, value in values.items()}


NAUTOBOT = Application(
    name="nautobot",
    version=VERSION,
    requirements=Path(__file__).with_name("nautobot-requirements.txt"),
    command="nautobot-server",
    settings=_settings,
    seed=SEED,
    authorization="Token",
    sdists=("promise",),
)
