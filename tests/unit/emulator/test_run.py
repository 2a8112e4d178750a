import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from itertools import count, islice
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine

from emulator.draws import Draw, draws
from emulator.errors import EmulatorError, UnavailableError
from emulator.http import Http
from emulator.kinesis_sdk import KinesisSdkSink, kinesis_client
from emulator.ledger import Ledger, read_ledger
from emulator.limits import MAX_RECORD_BYTES
from emulator.progress import LINE_EVERY, Reporter
from emulator.run import Options, Sender, batches, paced, work
from emulator.sinks import KafkaSink, KinesisSink, Sink
from emulator.source import PostSource
from settings import FRAMES, Settings
from tests.unit.emulator.far_side import Answer, FarSide


class Clock(threading.Event):
    """A clock that only waiting moves; also the event that ends a run."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return self.is_set()


class Run:
    """A sender on the real source, HTTP client and ledger."""

    def __init__(
        self, engine: Engine, settings: Settings, ledger: Ledger, kinds: Sequence[Callable[..., Sink]]
    ) -> None:
        self.out = StringIO()
        self.reporter = Reporter(Console(file=self.out, width=200))
        self.stop = threading.Event()
        http = Http(settings.api_url)
        sinks = [kind(settings, http) for kind in kinds]
        self.sender = Sender(PostSource(engine), sinks, ledger, self.reporter, self.stop)

    @property
    def counts(self) -> tuple[int, int, int]:
        totals = self.reporter.totals
        return totals.posts, totals.records, totals.refused


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def ledger(ledger_path: Path) -> Iterator[Ledger]:
    with Ledger(ledger_path) as ledger:
        yield ledger


@pytest.fixture
def to_kafka(engine: Engine, settings: Settings, ledger: Ledger) -> Run:
    return Run(engine, settings, ledger, [KafkaSink])


@pytest.fixture
def to_kinesis(engine: Engine, settings: Settings, ledger: Ledger) -> Run:
    return Run(engine, settings, ledger, [KinesisSink])


@pytest.fixture
def by_sdk(engine: Engine, settings: Settings, ledger: Ledger) -> Run:
    client = kinesis_client(settings, workers=1)
    return Run(engine, settings, ledger, [lambda settings, http: KinesisSdkSink(settings, client)])


def test_the_classic_loop_sleeps_what_it_draws() -> None:
    clock = Clock()
    turns = list(islice(draws(100, 11_000), 50))
    assert list(paced(turns, None, True, clock, clock)) == [turn.index for turn in turns]
    assert clock.now == sum(turn.pause for turn in turns) > 0


def test_without_pauses_the_indices_are_the_same() -> None:
    clock = Clock()
    assert list(paced(islice(draws(100, 11_000), 4), None, False, clock, clock)) == [7528, 2863, 5730, 8304]
    assert clock.now == 0


def test_a_rate_sets_the_time_of_each_post() -> None:
    clock = Clock()
    due = [clock.now for _ in paced([Draw(1, 0)] * 5, 4.0, False, clock, clock)]
    assert due == [0, 0.25, 0.5, 0.75, 1.0]


def test_a_delay_is_caught_up() -> None:
    clock = Clock()
    due = []
    for number, _ in enumerate(paced([Draw(0, 0)] * 6, 4.0, False, clock, clock)):
        due.append(clock.now)
        if number == 1:
            clock.now += 0.8
    assert due == pytest.approx([0, 0.25, 1.05, 1.05, 1.05, 1.25])


@pytest.mark.parametrize("rate", [None, 1000.0])
def test_a_stop_ends_the_drawing(rate: float | None) -> None:
    clock = Clock()
    drawn = []
    for index in paced(draws(100, 11_000), rate, rate is None, clock, clock):
        drawn.append(index)
        if len(drawn) == 3:
            clock.set()
    assert drawn == [7528, 2863, 5730]


@pytest.mark.parametrize(
    ("options", "classic"),
    [
        (Options(), True),
        (Options(duration=5, batch_size=2), True),
        (Options(posts=5), False),
        (Options(rate=5), False),
        (Options(workers=1), False),
    ],
)
def test_when_the_pauses_are_slept(options: Options, classic: bool) -> None:
    assert options.classic is classic


def test_batches() -> None:
    assert list(batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert next(batches(count(), 2)) == [0, 1]


@pytest.mark.parametrize("workers", [1, 4])
def test_work_sends_every_batch_once(workers: int) -> None:
    sent: list[list[int]] = []
    work(([n] for n in range(100)), sent.append, workers, threading.Event())
    assert sorted(sent) == [[n] for n in range(100)]


def test_workers_send_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=30)

    def send(_: list[int]) -> None:
        together.wait()

    work(([n] for n in range(3)), send, 3, threading.Event())


def test_work_never_runs_far_ahead() -> None:
    """While the workers are busy, no more batches are asked for than have a place: here 2 under way and 2 waiting."""
    ran_ahead = threading.Event()

    def many() -> Iterator[list[int]]:
        for number in range(100):
            if number == 10:
                ran_ahead.set()
            yield [number]

    stop = threading.Event()

    def send(_: list[int]) -> None:
        assert not ran_ahead.wait(0.5), "the drawing did not wait for the workers"
        stop.set()

    work(many(), send, 2, stop)


def test_the_first_error_of_a_worker_ends_the_work() -> None:
    def send(batch: list[int]) -> None:
        if batch == [3]:
            raise EmulatorError("the disk is full")

    stop = threading.Event()
    with pytest.raises(EmulatorError, match="the disk is full"):
        work(([n] for n in range(10_000)), send, 2, stop)
    assert stop.is_set()


def test_a_post_is_three_requests_in_the_frames_order(to_kafka: Run, far_side: FarSide, ledger_path: Path) -> None:
    to_kafka.sender.send([7528])
    assert [path for _, path, _ in far_side.requests] == [f"/topics/0a1b2c.{frame}" for frame in FRAMES]
    assert far_side.requests[0][2] == {"records": [{"key": 7528, "value": {"index": 7528, "title": "Идея 7528 🎄"}}]}
    assert [(one.frame, one.index) for one in read_ledger(ledger_path)] == [(frame, 7528) for frame in FRAMES]
    assert to_kafka.counts == (1, 3, 0)


def test_a_batch_sends_every_draw_even_the_same_post_twice(to_kafka: Run, far_side: FarSide) -> None:
    to_kafka.sender.send([5, 6, 5])
    assert len(far_side.requests) == 3
    assert [one["key"] for one in far_side.requests[0][2]["records"]] == [5, 6, 5]
    assert to_kafka.counts == (3, 9, 0)


def test_both_paths_get_the_same_posts(
    engine: Engine, settings: Settings, ledger: Ledger, far_side: FarSide, ledger_path: Path
) -> None:
    Run(engine, settings, ledger, [KafkaSink, KinesisSink]).sender.send([5, 6])
    assert len(far_side.requests) == 6
    assert [(one.path, one.frame, one.index) for one in read_ledger(ledger_path)] == [
        (path, frame, index) for path in ("batch", "streaming") for frame in FRAMES for index in (5, 6)
    ]


def test_only_the_failed_records_are_sent_again(to_kinesis: Run, far_side: FarSide, ledger_path: Path) -> None:
    good = {"ShardId": "shardId-000000000000", "SequenceNumber": "49"}
    full = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
    far_side.faults = [(200, {"FailedRecordCount": 2, "Records": [full, good, full]})]
    to_kinesis.sender.send([5, 6, 7])
    keys = [[one["partition-key"] for one in body["records"]] for _, _, body in far_side.requests[:2]]
    assert keys == [["5", "6", "7"], ["5", "7"]]
    assert [one.index for one in read_ledger(ledger_path) if one.frame == "pin"] == [6, 5, 7]
    assert to_kinesis.counts == (3, 9, 0)
    assert to_kinesis.out.getvalue().count("ProvisionedThroughputExceededException") == 1


def test_only_the_failed_records_are_sent_again_by_the_sdk(by_sdk: Run, far_side: FarSide, ledger_path: Path) -> None:
    good = {"ShardId": "shardId-000000000000", "SequenceNumber": "49"}
    full = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
    far_side.faults = [(200, {"FailedRecordCount": 2, "Records": [full, good, full]})]
    by_sdk.sender.send([5, 6, 7])
    keys = [[one["PartitionKey"] for one in body["Records"]] for _, _, body in far_side.requests[:2]]
    assert keys == [["5", "6", "7"], ["5", "7"]]
    assert [one.index for one in read_ledger(ledger_path) if one.frame == "pin"] == [6, 5, 7]
    assert by_sdk.counts == (3, 9, 0)


@pytest.mark.parametrize("path", ["to_kinesis", "by_sdk"])
@pytest.mark.parametrize(
    "fault",
    [
        (400, {"__type": "ProvisionedThroughputExceededException", "message": "Rate exceeded"}),
        (429, {"message": "Too Many Requests"}),
        (500, {"__type": "InternalFailure", "message": "oops"}),
        (503, "starting"),
    ],
)
@pytest.mark.parametrize("indices", [[5], [5, 6, 7]])
def test_throttling_and_outages_of_kinesis_cost_nothing(
    request: pytest.FixtureRequest, far_side: FarSide, ledger_path: Path, path: str, fault: Answer, indices: list[int]
) -> None:
    run: Run = request.getfixturevalue(path)
    far_side.faults = [fault, fault]
    run.sender.send(indices)
    assert len(far_side.requests) == 5
    assert [(one.frame, one.index) for one in read_ledger(ledger_path)] == [(f, i) for f in FRAMES for i in indices]
    assert run.counts == (len(indices), 3 * len(indices), 0)
    assert run.out.getvalue().count("trying again until it works") == 1
    assert run.out.getvalue().count(" is back.") == 1


def test_a_request_that_is_too_large_becomes_two(
    to_kinesis: Run, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.limits.MAX_RECORDS", 2)
    full = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
    far_side.faults = [(200, {"FailedRecordCount": 2, "Records": [full, full]})]
    to_kinesis.sender.send([5, 6, 7, 8])
    keys = [[one["partition-key"] for one in body["records"]] for _, _, body in far_side.requests]
    assert keys[:3] == [["5", "6"], ["5", "6"], ["7", "8"]], "the second waits until the first is through"
    assert to_kinesis.counts == (4, 12, 0)


@pytest.mark.parametrize("path", ["to_kinesis", "by_sdk"])
def test_a_record_that_is_too_large_is_told_once_and_the_rest_is_sent(
    request: pytest.FixtureRequest, far_side: FarSide, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    run: Run = request.getfixturevalue(path)
    pin = PostSource.posts

    def posts(self: PostSource, indices: Sequence[int]) -> object:
        found = pin(self, indices)
        if 6 in found:
            large = {"index": 6, "title": "x" * MAX_RECORD_BYTES}
            found[6] = {**found[6], "pin": large}  # type: ignore[dict-item]  # a dict will do for a row
        return found

    monkeypatch.setattr(PostSource, "posts", posts)
    run.sender.send([5, 6, 7])
    run.sender.send([6])
    assert run.out.getvalue().count("streaming-0a1b2c-pin: post 6 was not sent: its 1,048,6") == 1
    assert run.counts == (2, 8 + 2, 2)
    assert Counter(log for log, _, _ in far_side.acknowledged) == {
        "streaming-0a1b2c-pin": 2,
        "streaming-0a1b2c-geo": 4,
        "streaming-0a1b2c-user": 4,
    }


def test_an_outage_of_the_sdks_far_side_is_kinesis_own(by_sdk: Run, far_side: FarSide) -> None:
    far_side.faults = [(503, "starting")]
    by_sdk.sender.send([5])
    assert "emulator: Kinesis is back." in by_sdk.out.getvalue()


def test_a_retriable_kafka_record_is_sent_again_and_a_refused_one_is_not(to_kafka: Run, far_side: FarSide) -> None:
    errors = [{"error_code": 50003, "error": "timed out"}, {"error_code": 50002, "error": "too large"}]
    far_side.faults = [(200, {"offsets": errors})]
    to_kafka.sender.send([5, 6])
    assert [[one["key"] for one in body["records"]] for _, _, body in far_side.requests[:2]] == [[5, 6], [5]]
    assert to_kafka.counts == (1, 5, 1)
    assert "too large (50002)" in to_kafka.out.getvalue()


@pytest.mark.parametrize("fault", [(429, "slow down"), (503, "full"), (500, "oops")])
def test_an_outage_costs_nothing(to_kafka: Run, far_side: FarSide, ledger_path: Path, fault: tuple[int, str]) -> None:
    far_side.faults = [fault, fault]
    to_kafka.sender.send([5])
    assert len(far_side.requests) == 5
    assert len(list(read_ledger(ledger_path))) == 3
    assert to_kafka.counts == (1, 3, 0)
    assert to_kafka.out.getvalue().count(f"was answered {fault[0]}: {fault[1]}") == 1
    assert to_kafka.out.getvalue().count("The API is back.") == 1


def test_a_4xx_is_told_once_with_its_body_and_counted_every_time(to_kafka: Run, far_side: FarSide) -> None:
    far_side.always = (404, {"error_code": 40401, "message": "Topic not found."})
    for index in range(5):
        to_kafka.sender.send([index])
    assert to_kafka.counts == (0, 0, 15)
    assert to_kafka.out.getvalue().count("Topic not found.") == len(FRAMES), "once for each topic"
    assert len(far_side.requests) == 15


def test_a_post_without_all_its_rows_is_told_and_the_rest_is_sent(to_kafka: Run, far_side: FarSide) -> None:
    to_kafka.sender.send([12, 13, 14])
    assert [one["key"] for one in far_side.requests[0][2]["records"]] == [12, 14]
    assert to_kafka.counts == (2, 6, 1)
    assert "Post 13 lacks a row" in to_kafka.out.getvalue()


def test_nothing_is_sent_where_nothing_was_found(to_kafka: Run, far_side: FarSide) -> None:
    to_kafka.sender.send([13])
    assert far_side.requests == []


def test_an_outage_that_outlasts_patience_ends_the_run(
    to_kafka: Run, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_side.always = (503, "full")
    to_kafka.sender._sink_patience[0]._retrying.stop = lambda state: True
    with pytest.raises(EmulatorError, match=r"Gave up: POST /topics/0a1b2c.pin was answered 503"):
        to_kafka.sender.send([5])


def test_a_stop_during_an_outage_ends_quietly(to_kafka: Run, far_side: FarSide, ledger_path: Path) -> None:
    far_side.always = (503, "full")
    far_side.on_request = lambda number: to_kafka.stop.set()
    to_kafka.sender.send([5])
    assert list(read_ledger(ledger_path)) == []
    assert to_kafka.counts == (0, 0, 0)


def test_mysql_that_comes_back_is_waited_for(to_kafka: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real, down = PostSource.posts, [True, True]

    def posts(self: PostSource, indices: Sequence[int]) -> object:
        if down:
            down.pop()
            raise UnavailableError("MySQL at 127.0.0.1:3307 does not answer (Connection refused)")
        return real(self, indices)

    monkeypatch.setattr(PostSource, "posts", posts)
    to_kafka.sender.send([5])
    assert to_kafka.counts == (1, 3, 0)
    assert to_kafka.out.getvalue().count("does not answer") == 1
    assert to_kafka.out.getvalue().count("is back.") == 1


def test_plain_lines_come_now_and_then() -> None:
    clock, out = Clock(), StringIO()
    reporter = Reporter(Console(file=out, width=200), clock=clock)
    with reporter:
        for _ in range(10):
            clock.now += LINE_EVERY / 2.5
            reporter.add(posts=1, records=3)
    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0] == "emulator: 3 posts, 9 records acknowledged, 0 errors, 0.5 posts/s"
    assert lines[-1] == "emulator: sent 10 posts, 30 records acknowledged, 0 errors, 0.5 posts/s."


def test_a_terminal_gets_a_bar() -> None:
    out = StringIO()
    reporter = Reporter(Console(file=out, width=200, force_terminal=True), wanted=10)
    with reporter:
        reporter.add(posts=7, records=21, refused=1)
    assert "7 posts  " in out.getvalue()
    assert "1 errors" in out.getvalue()
    assert "━" in out.getvalue()
