"""The three source tables and the emulator's user in MySQL (contract §1): the only module here that talks to it."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import pymysql
from pymysql.cursors import Cursor

from seed.generator import GEO_COLUMNS, PIN_COLUMNS, USER_COLUMNS, VERSION, Generator
from seed.settings import Settings

TABLES = {
    "pinterest_data": (
        PIN_COLUMNS,
        "`index` INT NOT NULL PRIMARY KEY, unique_id TEXT, title TEXT, description TEXT, poster_name TEXT, "
        "follower_count TEXT, tag_list TEXT, is_image_or_video TEXT, image_src TEXT, downloaded INT, "
        "save_location TEXT, category TEXT",
    ),
    "geolocation_data": (
        GEO_COLUMNS,
        "ind INT NOT NULL PRIMARY KEY, `timestamp` DATETIME, latitude DOUBLE, longitude DOUBLE, country TEXT",
    ),
    "user_data": (
        USER_COLUMNS,
        "ind INT NOT NULL PRIMARY KEY, first_name TEXT, last_name TEXT, age INT, date_joined DATETIME",
    ),
}
"""Table → its columns in the order of a `Post`'s values, and their definitions."""

CHUNK = 20_000
"""Posts made, written and loaded at a time: about 15 MB, whatever the number of posts."""

FIELD_END, LINE_END = "\x1f", "\x1e"
"""ASCII's own unit and record separators. No text holds them, so nothing has to be escaped."""


class LoadError(Exception):
    """MySQL did not take the rows as they are."""


def connect(settings: Settings) -> "pymysql.Connection[Cursor]":
    """A connection as the owner, with the database selected and bulk load allowed. Raises `pymysql.OperationalError`."""
    return pymysql.connect(
        host=settings.host,
        port=settings.port,
        user=settings.owner,
        password=settings.root_password,
        database=settings.database,
        charset="utf8mb4",
        local_infile=True,
        autocommit=True,
        ssl_ca=settings.tls_ca or None,
        ssl_verify_identity=bool(settings.tls_ca),
    )


def label(generator: Generator) -> str:
    """What a table that holds these posts says of itself.

    It stands in the tables' comment: the source keeps its three tables and no fourth, and a table has it only
    once it is complete.
    """
    return f"{generator.posts} posts, seed {generator.seed}, generator {VERSION}"


def is_loaded(cursor: Cursor, database: str, generator: Generator) -> bool:
    """Whether all three tables hold these very posts, by their label and by their number of rows."""
    cursor.execute(
        "SELECT COUNT(*) FROM information_schema.tables "
        "WHERE table_schema = %s AND table_name IN %s AND table_comment = %s",
        (database, tuple(TABLES), label(generator)),
    )
    return _number(cursor) == len(TABLES) and all(_rows(cursor, table) == generator.posts for table in TABLES)


def load(cursor: Cursor, generator: Generator, report: Callable[[int], None]) -> None:
    """Put all posts in new tables, then give these the old ones' place. `report` is told the posts loaded so far.

    A run that is killed leaves the old tables as they were. Raises `LoadError` if MySQL refuses or changes a row.
    """
    for table, (_, definition) in TABLES.items():
        cursor.execute(f"DROP TABLE IF EXISTS {table}_loading")
        cursor.execute(
            f"CREATE TABLE {table}_loading ({definition}) CHARACTER SET utf8mb4 COMMENT = %s", (label(generator),)
        )
    loaded = 0
    posts = iter(generator)
    while chunk := list(islice(posts, CHUNK)):
        for (table, (columns, _)), rows in zip(TABLES.items(), zip(*chunk, strict=True), strict=True):
            _load_rows(cursor, f"{table}_loading", columns, rows)
        loaded += len(chunk)
        report(loaded)
    _swap(cursor)


def allow_reader(cursor: Cursor, database: str, user: str, password: str) -> None:
    """Make the user, or give it this password; it may read this database and do nothing else (design decision 8)."""
    cursor.execute("CREATE USER IF NOT EXISTS %s@'%%'", (user,))
    cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", (user, password))
    cursor.execute("REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s@'%%'", (user,))
    # In GRANT an underscore is a wildcard: unescaped, the user could read `pinterestXdata` as well.
    pattern = database.replace("_", r"\_").replace("`", "``")
    cursor.execute(f"GRANT SELECT ON `{pattern}`.* TO %s@'%%'", (user,))


def lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The rows as `LOAD DATA` reads them here."""
    return (FIELD_END.join(map(str, row)) + LINE_END for row in rows)


def _load_rows(cursor: Cursor, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="") as file:
        file.writelines(lines(rows))
        file.flush()
        taken = cursor.execute(
            f"LOAD DATA LOCAL INFILE %s INTO TABLE {table} CHARACTER SET utf8mb4 "
            "FIELDS TERMINATED BY %s ESCAPED BY '' LINES TERMINATED BY %s "
            f"({', '.join(f'`{column}`' for column in columns)})",
            (file.name, FIELD_END, LINE_END),
        )
    # LOCAL turns errors into warnings and skips or mends the row.
    cursor.execute("SHOW WARNINGS LIMIT 1")
    warning = cursor.fetchone()
    if taken != len(rows) or warning:
        raise LoadError(f"{table} took {taken} of {len(rows)} rows; MySQL's first warning: {warning}.")


def _swap(cursor: Cursor) -> None:
    """One statement, so that a reader finds either the old posts or the new ones, and never none."""
    for table, (_, definition) in TABLES.items():
        cursor.execute(f"DROP TABLE IF EXISTS {table}_old")
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({definition})")
    cursor.execute(
        "RENAME TABLE " + ", ".join(f"{table} TO {table}_old, {table}_loading TO {table}" for table in TABLES)
    )
    cursor.execute("DROP TABLE " + ", ".join(f"{table}_old" for table in TABLES))


def _rows(cursor: Cursor, table: str) -> int:
    cursor.execute(f"SELECT COUNT(*) FROM {table}")
    return _number(cursor)


def _number(cursor: Cursor) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0
