import socket
from collections.abc import Iterator

import pymysql
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, QueuePool, create_engine, event, text

from emulator.errors import SourceError, UnavailableError
from emulator.source import AWSDBConnector, PostSource
from settings import Settings


def refusing(error: pymysql.MySQLError) -> PostSource:
    """A source whose MySQL answers every connection with this error."""

    def creator() -> object:
        raise error

    return PostSource(create_engine("mysql+pymysql://emulator@127.0.0.1:3307/pinterest_data", creator=creator))


@pytest.fixture
def empty() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE pinterest_data (`index` INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


def test_the_classic_table_ends_at_11000(engine: Engine) -> None:
    assert PostSource(engine).highest_index() == 11_000


def test_a_post_is_its_three_rows(engine: Engine) -> None:
    posts = PostSource(engine).posts([7528, 0])
    assert set(posts) == {0, 7528}
    assert dict(posts[7528]["pin"]) == {"index": 7528, "title": "Идея 7528 🎄"}
    assert posts[7528]["geo"]["ind"] == posts[7528]["user"]["ind"] == 7528


def test_many_posts_cost_one_query_a_table(engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda c, cursor, statement, *rest: statements.append(statement))
    assert len(PostSource(engine).posts([*range(100, 400), 100, 101])) == 300
    assert len(statements) == 3


def test_a_post_that_lacks_a_row_is_left_out(engine: Engine) -> None:
    assert set(PostSource(engine).posts([12, 13, 14, 99_999])) == {12, 14}


def test_an_empty_source_is_an_error(empty: Engine) -> None:
    with pytest.raises(SourceError, match="pinterest_data is empty"):
        PostSource(empty).highest_index()


@pytest.mark.parametrize("code", [1040, 1053, 2003, 2006, 2013])
def test_what_passes_is_unavailable(code: int) -> None:
    source = refusing(pymysql.OperationalError(code, "gone"))
    with pytest.raises(UnavailableError, match=r"MySQL at 127.0.0.1:3307 does not answer \(gone\)"):
        source.posts([1])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (pymysql.OperationalError(1045, "Access denied for user 'emulator'"), "refuses: Access denied.*in .env"),
        (pymysql.OperationalError(1049, "Unknown database 'x'"), "refuses: Unknown database 'x'.*make up"),
        (pymysql.ProgrammingError(1146, "Table 'user_data' doesn't exist"), "refuses: Table 'user_data'.*make up"),
    ],
)
def test_what_stays_is_an_error_with_a_hint(error: pymysql.MySQLError, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        refusing(error).posts([1])


def test_the_connector_reads_its_settings() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        settings = Settings(
            user_id="u", mysql_host="127.0.0.1", mysql_port=port, mysql_user="me", mysql_password=SecretStr("p@:/")
        )
        engine = AWSDBConnector(settings).create_db_connector(connections=7)
        assert (engine.url.username, engine.url.password, engine.url.database) == ("me", "p@:/", "pinterest_data")
        assert isinstance(engine.pool, QueuePool)
        assert engine.pool.size() == 7
        with pytest.raises(UnavailableError, match=rf"MySQL at 127.0.0.1:{port} does not answer.*Connection refused"):
            PostSource(engine).highest_index()
