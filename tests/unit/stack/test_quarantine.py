"""Why records were rejected: counted and picked by delta-rs, and shown without acting on the terminal."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from rich.console import Console

from settings import Settings
from spark_jobs.logs import KAFKA, KINESIS
from stack import lake, quarantine
from stack.quarantine import Rejection, rejections

SETTINGS = Settings(user_id="abc")
AGE, DATE = "age is not a whole number from 0 to 120", "date_joined is not a date"


def rejected(path: Path, *records: tuple[str, int, str, list[str]]) -> DeltaTable:
    """A batch path's quarantine of (frame, offset, raw, reasons), each a second after the one before."""
    columns = {
        "frame": [frame for frame, *_ in records],
        "raw": [raw for _, _, raw, _ in records],
        "source": ["an object"] * len(records),
        "topic": [f"abc.{frame}" for frame, *_ in records],
        "partition": pa.array([0] * len(records), pa.int32()),
        "offset": [offset for _, offset, *_ in records],
        "reasons": pa.array([reasons for *_, reasons in records], pa.list_(pa.string())),
        "quarantined_at": [datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC) for second in range(len(records))],
    }
    write_deltalake(path, pa.table(columns), partition_by=["frame"])
    return DeltaTable(path)


def test_reasons_are_counted_and_the_newest_records_shown(tmp_path: Path) -> None:
    ages = [("user", offset, f"raw {offset}", [AGE]) for offset in range(5)]
    found = rejections(
        rejected(tmp_path, *ages, ("user", 5, "both", [AGE, DATE]), ("geo", 6, "x" * 5000, [DATE])), KAFKA
    )
    assert found == [
        Rejection("user", AGE, 6, [("abc.user/0/5", "both"), ("abc.user/0/4", "raw 4"), ("abc.user/0/3", "raw 3")]),
        Rejection("geo", DATE, 1, [("abc.geo/0/6", "x" * 1000)]),
        Rejection("user", DATE, 1, [("abc.user/0/5", "both")]),
    ]


def test_a_streams_record_has_its_shard_and_sequence_number(tmp_path: Path) -> None:
    place = {"stream": ["s"], "shard": ["shardId-1"], "sequence": ["4"], "subsequence": pa.array([0], pa.int32())}
    row = {"frame": ["pin"], "raw": ["{"], **place, "reasons": [[DATE]], "quarantined_at": [datetime.now(UTC)]}
    write_deltalake(tmp_path, pa.table(row), partition_by=["frame"])
    assert rejections(DeltaTable(tmp_path), KINESIS) == [Rejection("pin", DATE, 1, [("s/shardId-1/4/0", "{")])]


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What `make quarantine` prints on a terminal of eighty characters, of a lake in a local folder."""

    def table(settings: Settings, path: str) -> DeltaTable | None:
        return DeltaTable(tmp_path / path) if (tmp_path / path).exists() else None

    monkeypatch.setattr(lake, "table", table)
    return StringIO()


def test_a_record_is_shown_as_text_whatever_it_holds(tmp_path: Path, shown: StringIO) -> None:
    raw = "[red]{[/]\x1b[2J\n\u202e" + "é" * 200
    rejected(tmp_path / "batch" / "quarantine", ("user", 1, raw, [AGE]))
    quarantine.show(SETTINGS, Console(file=shown, width=80, force_terminal=True, color_system=None))
    text = shown.getvalue()
    assert "\x1b" not in text.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert r"[red]{[/]\x1b[2J\n\u202eé" in text
    assert "é…" in text
    assert text.count("é") <= 100
    assert max(map(len, text.splitlines())) <= 100
    assert all(word in text for word in ("batch", "user", AGE.split()[-1], "abc.user/0/1", "`make replay`"))


@pytest.mark.parametrize("emptied", [False, True])
def test_nothing_in_quarantine_is_said(tmp_path: Path, shown: StringIO, emptied: bool) -> None:
    if emptied:
        rejected(tmp_path / "batch" / "quarantine", ("user", 1, "{", [AGE])).delete()
    quarantine.show(SETTINGS, Console(file=shown))
    assert shown.getvalue() == "Nothing is in quarantine.\n"
