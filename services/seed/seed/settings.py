"""What the seed reads from its environment; the only module here that does."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from seed import generator


class SettingsError(Exception):
    """A variable is missing or has an impossible value. The message names it."""


@dataclass(frozen=True)
class Settings:
    """Where to load, as whom, and how much. `owner` may create tables and users; with a `tls_ca` the connection is encrypted and the host checked."""

    host: str
    database: str
    reader: str
    root_password: str = field(repr=False)
    reader_password: str = field(repr=False)
    port: int = 3306
    owner: str = "root"
    tls_ca: str = ""
    posts: int = generator.REFERENCE_POSTS
    seed: int = 100

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment. An empty value counts as none. Raises `SettingsError`."""
        return cls(
            host=_text(environment, "MYSQL_HOST", "mysql"),
            port=_number(environment, "MYSQL_PORT", 3306),
            database=_text(environment, "MYSQL_DATABASE", "pinterest_data"),
            owner=_text(environment, "MYSQL_OWNER", "root"),
            tls_ca=environment.get("MYSQL_TLS_CA", ""),
            root_password=_text(environment, "MYSQL_ROOT_PASSWORD"),
            reader=_text(environment, "MYSQL_USER", "emulator"),
            reader_password=_text(environment, "MYSQL_PASSWORD"),
            posts=_number(environment, "SEED_POSTS", generator.REFERENCE_POSTS),
            seed=_number(environment, "SEED", 100),
        )


def _text(environment: Mapping[str, str], name: str, default: str | None = None) -> str:
    value = environment.get(name) or default
    if value is None:
        raise SettingsError(f"{name} is not set. `make up` writes it into .env, and Compose passes it on.")
    return value


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    try:
        return int(value)
    except ValueError:
        raise SettingsError(f"{name} is {value!r}; it must be a whole number.") from None
