"""`python -m seed`: fill MySQL once, and end. Running it again changes nothing that is already so."""

import sys
import time

import pymysql

from seed import database
from seed.generator import Generator, GeneratorError
from seed.settings import Settings, SettingsError


def main() -> int:
    """Exit code 0 if the source stands, 1 with one sentence if it cannot."""
    try:
        settings = Settings.load()
        generator = Generator(settings.posts, settings.seed)
        seed(settings, generator)
    except (SettingsError, GeneratorError, database.LoadError) as error:
        print(f"seed: {error}", file=sys.stderr)
        return 1
    except pymysql.MySQLError as error:
        code, text = error.args if len(error.args) == 2 else ("", error)
        print(f"seed: MySQL at {settings.host}:{settings.port} answered: {text} ({code}).", file=sys.stderr)
        return 1
    return 0


def seed(settings: Settings, generator: Generator) -> None:
    """Make the tables hold the generator's posts, and the reader able to read them."""
    with database.connect(settings) as connection, connection.cursor() as cursor:
        if database.is_loaded(cursor, settings.database, generator):
            print(f"seed: {settings.database} holds {database.label(generator)} already.")
        else:
            start = time.monotonic()
            database.load(cursor, generator, lambda loaded: print(f"seed: {loaded:,} of {generator.posts:,} posts"))
            print(f"seed: {database.label(generator)}, loaded in {time.monotonic() - start:.1f} s.")
        database.allow_reader(cursor, settings.database, settings.reader, settings.reader_password)


if __name__ == "__main__":
    sys.exit(main())
