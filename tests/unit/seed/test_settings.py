import pytest
from seed.settings import Settings, SettingsError

SECRETS = {"MYSQL_ROOT_PASSWORD": "root's", "MYSQL_PASSWORD": "emulator's"}


def test_defaults_are_the_contracts() -> None:
    settings = Settings.load(SECRETS)
    assert (settings.database, settings.reader, settings.posts) == ("pinterest_data", "emulator", 11_001)


def test_an_empty_value_counts_as_none() -> None:
    assert Settings.load(SECRETS | {"SEED_POSTS": "", "MYSQL_HOST": ""}) == Settings.load(SECRETS)


def test_in_the_cloud_the_owner_has_another_name_and_the_connection_is_encrypted() -> None:
    settings = Settings.load(SECRETS | {"MYSQL_OWNER": "admin", "MYSQL_TLS_CA": "/etc/rds.pem"})
    assert (settings.owner, settings.tls_ca) == ("admin", "/etc/rds.pem")


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_password_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.load({other: value for other, value in SECRETS.items() if other != name})


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="SEED_POSTS is '1e6'; it must be a whole number"):
        Settings.load(SECRETS | {"SEED_POSTS": "1e6"})


def test_passwords_are_not_shown() -> None:
    assert "root's" not in repr(Settings.load(SECRETS))
