"""The program as a person meets it: a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.cli import parser
from emulator.ledger import KafkaAcknowledgement, KinesisAcknowledgement, read_ledger
from settings import FRAMES
from tests.unit.emulator.far_side import USER_ID, FarSide

ROOT = Path(__file__).parents[3]

ON_SQLITE = """
import sys
from sqlalchemy import create_engine
from emulator.cli import main
from emulator.source import AWSDBConnector
AWSDBConnector.create_db_connector = lambda self, connections: create_engine("sqlite:///" + sys.argv[1])
sys.exit(main(sys.argv[2:]))
"""
"""The command line as it is, but for the database's kind."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def environment(tmp_path: Path, far_side: FarSide) -> dict[str, str]:
    file = tmp_path / ".env"
    file.write_text(
        f"USER_ID={USER_ID}\nAPI_URL={far_side.url}\nAWS_ENDPOINT_URL={far_side.url}\nAWS_ACCESS_KEY_ID=test\nAWS_SECRET_ACCESS_KEY=test\nMYSQL_HOST=127.0.0.1\nMYSQL_PORT=1\n"
    )
    return os.environ | {"PIPELINE_ENV": "test", "PIPELINE_ENV_FILE": str(file), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def start(environment: dict[str, str], database: Path, ledger: Path) -> Iterator[Start]:
    begun: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", ON_SQLITE, str(database), *arguments, "--ledger", str(ledger)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.communicate()


def places(ledger: Path) -> list[tuple[str, int, int]]:
    found = list(read_ledger(ledger))
    assert all(isinstance(one, KafkaAcknowledgement) for one in found)
    return [(one.topic, one.index, one.offset) for one in found if isinstance(one, KafkaAcknowledgement)]


def after_requests(far_side: FarSide, number: int) -> threading.Event:
    reached = threading.Event()
    far_side.on_request = lambda count: reached.set() if count >= number else None
    return reached


def test_so_many_posts(start: Start, far_side: FarSide, ledger: Path) -> None:
    out, err = (process := start("batch", "--posts", "4")).communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("emulator: sent 4 posts, 12 records acknowledged, 0 errors")
    assert [index for topic, index, _ in places(ledger) if topic.endswith(".pin")] == [7528, 2863, 5730, 8304]
    assert places(ledger) == far_side.acknowledged


def test_both_paths_batched_with_workers(start: Start, far_side: FarSide, ledger: Path) -> None:
    process = start("both", "--posts", "105", "--batch-size", "10", "--workers", "3")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "105 posts, 630 records acknowledged" in out
    assert len(far_side.requests) == 11 * 3 * 2
    assert Counter(one.path for one in read_ledger(ledger)) == {"batch": 315, "streaming": 315}


@pytest.mark.parametrize(
    ("arguments", "requests"),
    [
        ([], {("PUT", f"/streams/streaming-{USER_ID}-{frame}/records") for frame in FRAMES}),
        (["--body-form", "aws"], {("POST", f"/streams/streaming-{USER_ID}-{frame}/records") for frame in FRAMES}),
        (["--via", "sdk"], {("POST", "Kinesis_20131202.PutRecords")}),
    ],
)
def test_the_ways_to_kinesis(
    start: Start, far_side: FarSide, ledger: Path, arguments: list[str], requests: set[tuple[str, str]]
) -> None:
    began = time.time()
    process = start("streaming", "--posts", "40", "--batch-size", "10", "--workers", "3", *arguments)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "40 posts, 120 records acknowledged, 0 errors" in out
    assert {(method, path) for method, path, _ in far_side.requests} == requests
    assert len(far_side.requests) == 4 * 3
    found = [one for one in read_ledger(ledger) if isinstance(one, KinesisAcknowledgement)]
    assert sorted((one.stream, one.index) for one in found) == sorted((log, i) for log, i, _ in far_side.acknowledged)
    assert all(began < (one.acknowledged_at or 0) < time.time() for one in found)
    assert len({one.acknowledged_at for one in found}) == 4 * 3, "one time a request"


def test_both_paths_with_the_sdk(start: Start, far_side: FarSide, ledger: Path) -> None:
    process = start("both", "--posts", "2", "--via", "sdk")
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    kinesis = [("POST", "Kinesis_20131202.PutRecord")] * 3
    kafka = [("POST", f"/topics/{USER_ID}.{frame}") for frame in FRAMES]
    assert [(method, path) for method, path, _ in far_side.requests] == (kafka + kinesis) * 2
    assert [one.path for one in read_ledger(ledger)] == (["batch"] * 3 + ["streaming"] * 3) * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_endless_loop_cleanly(
    start: Start, far_side: FarSide, ledger: Path, number: signal.Signals
) -> None:
    sent = after_requests(far_side, 30)
    process = start("batch", "--rate", "1000")
    assert sent.wait(60)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "emulator: sent " in out.splitlines()[-1]
    assert places(ledger) == far_side.acknowledged
    assert len(far_side.acknowledged) % 3 == 0, "the post under way was finished"


def test_ctrl_c_during_an_outage(start: Start, far_side: FarSide, ledger: Path) -> None:
    far_side.always = (503, "starting")
    sent = after_requests(far_side, 3)
    process = start("batch", "--posts", "10")
    assert sent.wait(60)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.count("was answered 503: starting") == 1
    assert list(read_ledger(ledger)) == []


def test_a_duration_ends_it(start: Start, far_side: FarSide) -> None:
    out, _ = (process := start("batch", "--workers", "1", "--duration", "0.3")).communicate(timeout=60)
    assert process.returncode == 0
    assert "emulator: sent " in out


def test_kill_9_leaves_a_true_ledger(start: Start, far_side: FarSide, ledger: Path) -> None:
    sent = after_requests(far_side, 300)
    process = start("batch", "--workers", "4", "--batch-size", "5")
    assert sent.wait(60)
    process.kill()
    process.wait(60)
    noted, acknowledged = places(ledger), set(far_side.acknowledged)
    assert len(noted) == len(set(noted))
    assert set(noted) <= acknowledged, "nothing is noted that was not acknowledged"
    # Each of the 4 workers may have been killed between one request of 5 records and their lines.
    assert len(acknowledged - set(noted)) <= 4 * 5

    far_side.on_request = lambda number: None
    assert start("batch", "--posts", "2").wait(60) == 0
    assert len(places(ledger)) == len(noted) + 6


def test_refused_records_fail_the_run(start: Start, far_side: FarSide) -> None:
    far_side.always = (404, {"error_code": 40401, "message": "Topic not found."})
    out, _ = (process := start("batch", "--posts", "3")).communicate(timeout=60)
    assert process.returncode == 1
    assert out.count("Topic not found.") == 3
    assert "sent 0 posts, 0 records acknowledged, 9 errors" in out


def test_no_api_is_one_sentence(start: Start, far_side: FarSide, environment: dict[str, str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        file = Path(environment["PIPELINE_ENV_FILE"])
        file.write_text(file.read_text().replace(far_side.url, url))
        out, err = (process := start("batch")).communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(f"emulator: {url} does not answer (Connection refused): is the stack up?")
    assert err.count("\n") == 1


def emulator(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "emulator", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_no_mysql_is_one_sentence(environment: dict[str, str]) -> None:
    done = emulator(environment, "batch")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("emulator: MySQL at 127.0.0.1:1 does not answer")
    assert "is the stack up? `make status` says, `make up` starts it." in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_settings_are_one_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    done = emulator(environment | {"PIPELINE_ENV_FILE": str(tmp_path / "none")}, "batch")
    assert done.returncode == 1
    assert "USER_ID" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sideways"], "invalid choice"),
        (["batch", "--posts", "0"], "--posts: 0 is not above 0"),
        (["batch", "--rate", "-1"], "--rate: -1 is not above 0"),
        (["batch", "--posts", "1.5"], "invalid int value: '1.5'"),
        (["streaming", "--via", "post"], "--via: invalid choice: 'post'"),
        (["streaming", "--body-form", "xml"], "--body-form: invalid choice: 'xml'"),
        (["batch", "--batch-size", "501"], "501 is not above 0 and at most 500"),
    ],
)
def test_impossible_arguments(capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(arguments)
    assert sentence in capsys.readouterr().err
