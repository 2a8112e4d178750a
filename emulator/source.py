"""The posts in MySQL, read by primary key."""

from collections.abc import Mapping, Sequence

from sqlalchemy import URL, Engine, RowMapping, bindparam, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from emulator.errors import SourceError, UnavailableError
from settings import FRAMES, Frame, Settings

Rows = Mapping[Frame, RowMapping]
"""A post: the row of each frame, by column name."""

TABLES: dict[Frame, tuple[str, str]] = {
    "pin": ("pinterest_data", "index"),
    "geo": ("geolocation_data", "ind"),
    "user": ("user_data", "ind"),
}
"""Frame → its table and primary key (contract §1)."""

_SELECT = {
    frame: text(f"SELECT * FROM {table} WHERE `{key}` IN :indices").bindparams(bindparam("indices", expanding=True))
    for frame, (table, key) in TABLES.items()
}
_HIGHEST = text("SELECT MAX(`index`) FROM pinterest_data")

# Too many connections, shutting down, and everything that the client itself reports of a connection that is none.
_PASSING = {1040, 1053, 1077, 1927, 2002, 2003, 2006, 2013, 2055}
_HINTS = {
    1045: "The password in .env is not the one MySQL knows; `make up` sets it again.",
    1049: "`make up` creates and seeds it.",
    1146: "`make up` creates and seeds it.",
}


class AWSDBConnector:
    """Makes engines for the source database (the original's name, which stood for an RDS instance)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def create_db_connector(self, connections: int = 1) -> Engine:
        """One pooled engine for the whole run, with so many connections. Connects to nothing yet."""
        url = URL.create(
            "mysql+pymysql",
            username=self._settings.mysql_user,
            password=self._settings.mysql_password.get_secret_value(),
            host=self._settings.mysql_host,
            port=self._settings.mysql_port,
            database=self._settings.mysql_database,
            query={"charset": "utf8mb4"},
        )
        options: dict[str, object] = {"connect_timeout": 5, "read_timeout": 30}
        if self._settings.mysql_tls_ca:
            options |= {"ssl_ca": self._settings.mysql_tls_ca, "ssl_verify_identity": True}
        return create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",  # each read stands alone; transactions would cost two round trips a post
            connect_args=options,
        )


class PostSource:
    """The three tables behind one engine; safe to share between threads.

    Raises `UnavailableError` while MySQL is down, and `SourceError` if it refuses for good.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = f"MySQL at {engine.url.host}:{engine.url.port}"

    def highest_index(self) -> int:
        """The last post's index. With the classic 11,001 posts it is the classic 11000."""
        try:
            with self._engine.connect() as connection:
                highest = connection.execute(_HIGHEST).scalar()
        except SQLAlchemyError as error:
            raise self._explain(error) from error
        if highest is None:
            raise SourceError(f"{self.name} holds no posts: pinterest_data is empty. `make up` seeds it.")
        return int(highest)

    def posts(self, indices: Sequence[int]) -> dict[int, Rows]:
        """The posts of these indices, in one query a table. An index that lacks one of its three rows is left out."""
        wanted = {"indices": sorted(set(indices))}
        try:
            with self._engine.connect() as connection:
                found = {
                    frame: {row[TABLES[frame][1]]: row for row in connection.execute(_SELECT[frame], wanted).mappings()}
                    for frame in FRAMES
                }
        except SQLAlchemyError as error:
            raise self._explain(error) from error
        whole = set.intersection(*(set(rows) for rows in found.values()))
        return {index: {frame: found[frame][index] for frame in FRAMES} for index in whole}

    def _explain(self, error: SQLAlchemyError) -> UnavailableError | SourceError:
        cause = error.orig if isinstance(error, DBAPIError) else None
        code, *rest = cause.args if cause and cause.args else (None, error)
        reason = str(rest[0] if rest else cause)
        if code in _PASSING or (isinstance(error, DBAPIError) and error.connection_invalidated):
            return UnavailableError(f"{self.name} does not answer ({reason})")
        return SourceError(f"{self.name} refuses: {reason}. {_HINTS.get(code, '')}".rstrip())
