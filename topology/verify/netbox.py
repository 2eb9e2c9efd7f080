"""NetBox as the tests start it: its configuration, its user, its packages (`netbox-requirements.txt`)."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from topology.verify.inventory_server import Application
from topology.verify.stores import Stores

VERSION = "4.7.3"
PEPPER = "for tests on 127.0.0.1, where every token is random and thrown away"  # the same before and after a dump
SEED = """
from django.contrib.auth import get_user_model
from users.models import Token
user = get_user_model().objects.create(username="tests", is_superuser=True, is_active=True)
token = Token(user=user)
token.save()
print(f"token=nbt_{token.key}.{token.token}")
"""


def _settings(stores: Stores) -> Mapping[str, str]:
    """NetBox reads `conf/configuration.py` in its root folder."""
    redis = {
        "HOST": "127.0.0.1",
        "PORT": stores.redis_port,
        "USERNAME": "",
        "PASSWORD": "",
        "DATABASE": 0,
        "SSL": False,
    }
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": stores.database,
        "USER": stores.database,
        "PASSWORD": "",
        "HOST": "127.0.0.1",
        "PORT": stores.postgres_port,
    }
    values = {
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "DATABASES": {"default": database},
        "REDIS": {"tasks": redis, "caching": {**redis, "DATABASE": 1}},
        "SECRET_KEY": secrets.token_hex(32),
        "API_TOKEN_PEPPERS": {1: PEPPER},
        "CENSUS_REPORTING_ENABLED": False,
    }
    (stores.folder / "conf").mkdir(exist_ok=True)
    lines = [f"{name} = {value!r}\n" for name, value in values.items()]
    (stores.folder / "conf/configuration.py").write_text("".join(lines))
    return {"NETBOX_ROOT": str(stores.folder)}


NETBOX = Application(
    name="netbox",
    version=VERSION,
    requirements=Path(__file__).with_name("netbox-requirements.txt"),
    command="netbox",
    settings=_settings,
    seed=SEED,
    authorization="Bearer",
    least_python=(3, 12),
)
