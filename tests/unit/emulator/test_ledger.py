from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.errors import LedgerError
from emulator.ledger import KafkaAcknowledgement, KinesisAcknowledgement, Ledger, read_ledger

AT = 1784559999.8237047
KAFKA = KafkaAcknowledgement("pin", 7528, "0a1b2c.pin", 2, 41, AT)
KINESIS = KinesisAcknowledgement("geo", 7528, "streaming-0a1b2c-geo", "shardId-000000000000", "4" * 56, AT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "ledger.jsonl"


def test_what_is_written_is_read(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([KAFKA])
        ledger.append([])
        ledger.append([KINESIS, KAFKA])
        assert list(read_ledger(path)) == [KAFKA, KINESIS, KAFKA], "each is there before the file is closed"


def test_a_line_names_the_record_and_its_place(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([KAFKA])
    assert path.read_text() == (
        '{"frame": "pin", "index": 7528, "topic": "0a1b2c.pin", "partition": 2, "offset": 41, '
        '"acknowledged_at": 1784559999.8237047, "path": "batch"}\n'
    )


def test_lines_of_before_the_time_was_noted_are_still_read(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        '{"frame": "pin", "index": 7528, "topic": "0a1b2c.pin", "partition": 2, "offset": 41, "path": "batch"}\n'
        '{"frame": "geo", "index": 7528, "stream": "s", "shard": "shardId-000000000000", "sequence": "49", "path": "streaming"}\n'
    )
    with Ledger(path) as ledger:
        ledger.append([KAFKA])
    assert list(read_ledger(path)) == [
        replace(KAFKA, acknowledged_at=None),
        KinesisAcknowledgement("geo", 7528, "s", "shardId-000000000000", "49", None),
        KAFKA,
    ]


def test_a_missing_ledger_is_empty(path: Path) -> None:
    assert list(read_ledger(path)) == []


def test_runs_append(path: Path) -> None:
    for _ in range(2):
        with Ledger(path) as ledger:
            ledger.append([KAFKA])
    assert list(read_ledger(path)) == [KAFKA, KAFKA]


@pytest.mark.parametrize("torn", ['{"frame": "pin", "ind', "x" * 10_000])
def test_a_half_written_last_line_is_left_out_and_then_cut_off(path: Path, torn: str) -> None:
    with Ledger(path) as ledger:
        ledger.append([KAFKA])
    with path.open("a") as file:
        file.write(torn)
    assert list(read_ledger(path)) == [KAFKA]
    with Ledger(path) as ledger:
        ledger.append([KINESIS])
    assert list(read_ledger(path)) == [KAFKA, KINESIS]


def test_a_ledger_of_only_half_a_line_starts_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"frame"')
    with Ledger(path) as ledger:
        ledger.append([KAFKA])
    assert list(read_ledger(path)) == [KAFKA]


def test_a_line_on_its_way_from_another_run_is_not_cut_off(path: Path) -> None:
    with Ledger(path) as other:
        other.append([KAFKA])
        with path.open("a") as file:
            file.write('{"frame": "p')
        with Ledger(path):
            assert path.read_text().endswith('{"frame": "p')


@pytest.mark.parametrize("line", ["no JSON", "[]", '{"path": "batch"}', '{"path": "by post"}'])
def test_any_other_bad_line_is_an_error_that_names_it(path: Path, line: str) -> None:
    with Ledger(path) as ledger:
        ledger.append([KAFKA])
        with path.open("a") as file:
            file.write(line + "\n")
        ledger.append([KAFKA])
    with pytest.raises(LedgerError, match="line 2 is no acknowledgement"):
        list(read_ledger(path))


def test_threads_do_not_mix_their_lines(path: Path) -> None:
    with Ledger(path) as ledger, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ledger.append([KAFKA, KINESIS] * 50), range(100)))
    lines = list(read_ledger(path))
    assert len(lines) == 10_000
    assert set(lines) == {KAFKA, KINESIS}


def test_a_ledger_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger(tmp_path)


def test_a_full_disk_is_an_error() -> None:
    with Ledger(Path("/dev/full")) as ledger, pytest.raises(LedgerError, match="No space left on device"):
        ledger.append([KAFKA])
