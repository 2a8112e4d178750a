"""The loop: draw, read, send, note what was acknowledged."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from emulator.draws import Draw, draws
from emulator.errors import EmulatorError, SourceError, UnavailableError
from emulator.http import Http
from emulator.ledger import Ledger
from emulator.progress import Reporter
from emulator.records import BodyForm, Record, record
from emulator.retry import Patience
from emulator.sinks import KafkaSink, KinesisSink, Sink
from emulator.source import AWSDBConnector, PostSource
from settings import FRAMES, Frame, Settings

Via = Literal["gateway", "sdk"]
"""How the streaming path reaches Kinesis."""

DEFAULT_LEDGER = Path(__file__).parent.parent / ".state" / "ledger.jsonl"


@dataclass(frozen=True)
class Options:
    """How much and how fast. Without `posts`, `rate` and `workers` it is the classic loop with its drawn pauses.

    The indices are the same in any case: only whether the pauses are slept differs.
    """

    posts: int | None = None
    duration: float | None = None
    """Seconds."""
    rate: float | None = None
    """Posts a second."""
    batch_size: int = 1
    """Records a request."""
    workers: int | None = None
    seed: int = 100
    ledger: Path = DEFAULT_LEDGER
    via: Via = "gateway"
    body_form: BodyForm = "classic"
    """Of the streaming path's batches through the gateway."""

    @property
    def classic(self) -> bool:
        return self.posts is None and self.rate is None and self.workers is None


def user_posting_emulation_batch(
    settings: Settings, options: Options, reporter: Reporter, stop: threading.Event
) -> None:
    """Send to Kafka, through the REST proxy. Raises `EmulatorError` if the run cannot start or go on."""
    _emulate(settings, options, reporter, stop, (_kafka,))


def user_posting_emulation_streaming(
    settings: Settings, options: Options, reporter: Reporter, stop: threading.Event
) -> None:
    """Send to Kinesis. Raises `EmulatorError` if the run cannot start or go on."""
    _emulate(settings, options, reporter, stop, (_kinesis,))


def user_posting_emulation_both(
    settings: Settings, options: Options, reporter: Reporter, stop: threading.Event
) -> None:
    """Send each post to Kafka and then to Kinesis; an outage of one holds up the other, so that both get the same."""
    _emulate(settings, options, reporter, stop, (_kafka, _kinesis))


def _kafka(settings: Settings, options: Options, http: Http) -> Sink:
    return KafkaSink(settings, http)


def _kinesis(settings: Settings, options: Options, http: Http) -> Sink:
    if options.via == "sdk":
        # boto3 takes half a second to import, which nobody else should wait for.
        from emulator.kinesis_sdk import KinesisSdkSink, kinesis_client

        return KinesisSdkSink(settings, kinesis_client(settings, options.workers or 1))
    return KinesisSink(settings, http, options.body_form)


def _emulate(
    settings: Settings,
    options: Options,
    reporter: Reporter,
    stop: threading.Event,
    kinds: Sequence[Callable[[Settings, Options, Http], Sink]],
) -> None:
    workers = options.workers or 1
    source = PostSource(AWSDBConnector(settings).create_db_connector(workers))
    http = Http(settings.api_url, api_key=settings.api_key.get_secret_value())
    sinks = [kind(settings, options, http) for kind in kinds]
    try:
        highest = source.highest_index()
    except UnavailableError as error:
        raise SourceError(f"{error}: is the stack up? `make status` says, `make up` starts it.") from error
    for sink in sinks:
        sink.check()
    with Ledger(options.ledger) as ledger, reporter:
        sender = Sender(source, sinks, ledger, reporter, stop)
        turns = islice(draws(options.seed, highest), options.posts)
        indices = paced(turns, options.rate, options.classic, stop)
        deadline = threading.Timer(options.duration, stop.set) if options.duration else None
        if deadline:
            deadline.daemon = True
            deadline.start()
        try:
            work(batches(indices, options.batch_size), sender.send, workers, stop)
        finally:
            if deadline:
                deadline.cancel()


def paced(
    turns: Iterable[Draw],
    rate: float | None,
    classic: bool,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[int]:
    """The indices at the wanted pace, until `stop` is set.

    With a rate, the nth is due n/rate seconds after the first, so that a delay is caught up. Else the classic pauses, or none.
    """
    start = clock()
    for number, turn in enumerate(turns):
        pause = start + number / rate - clock() if rate else turn.pause if classic else 0
        if stop.wait(pause) if pause > 0 else stop.is_set():
            return
        yield turn.index


def batches(indices: Iterable[int], size: int) -> Iterator[list[int]]:
    """Lists of `size`, the last one shorter. (`itertools.batched` needs Python 3.12.)"""
    remaining = iter(indices)
    while batch := list(islice(remaining, size)):
        yield batch


def work(batches: Iterable[list[int]], send: Callable[[list[int]], None], workers: int, stop: threading.Event) -> None:
    """Have the batches sent by so many threads, with at most one waiting for each. Raises the first worker's error.

    On an error or on `stop` nothing new is begun; what is under way is finished.
    """
    places = threading.BoundedSemaphore(2 * workers)
    failures: list[BaseException] = []

    def done(future: Future[None]) -> None:
        if error := future.exception():
            failures.append(error)
            stop.set()
        places.release()

    with ThreadPoolExecutor(workers) as pool:
        for batch in batches:
            places.acquire()
            if stop.is_set():
                break
            pool.submit(send, batch).add_done_callback(done)
    if failures:
        raise failures[0]


class Sender:
    """Carries one batch of posts from the source to every sink. Shared by all workers."""

    def __init__(
        self, source: PostSource, sinks: Sequence[Sink], ledger: Ledger, reporter: Reporter, stop: threading.Event
    ) -> None:
        self._source = source
        self._sinks = sinks
        self._ledger = ledger
        self._reporter = reporter
        self._stop = stop
        self._source_patience = Patience(source.name, stop, reporter.say)
        self._sink_patience = [Patience(sink.name, stop, reporter.say) for sink in sinks]

    def send(self, indices: list[int]) -> None:
        """Read and send the posts. Raises `EmulatorError` if patience is over; if the run is being stopped, just ends."""
        try:
            self._send(indices)
        except UnavailableError as error:
            if not self._stop.is_set():
                raise EmulatorError(f"Gave up: {error}.") from error

    def _send(self, indices: list[int]) -> None:
        posts = self._source_patience.call(lambda: self._source.posts(indices))
        lacking = {
            index: f"Post {index} lacks a row in one of the three tables." for index in indices if index not in posts
        }
        self._reporter.once(lacking.values())
        whole = [index for index in indices if index in posts]
        records = {frame: [record(index, posts[index][frame]) for index in whole] for frame in FRAMES}
        unacknowledged = sum(index in lacking for index in indices)
        self._reporter.add(refused=unacknowledged)
        fewest = len(whole)
        for sink, patience in zip(self._sinks, self._sink_patience, strict=True):
            for frame in FRAMES:
                fewest = min(fewest, self._deliver(sink, patience, frame, records[frame]))
        self._reporter.add(posts=fewest)

    def _deliver(self, sink: Sink, patience: Patience, frame: Frame, records: list[Record]) -> int:
        """Send the records, request by request. How many were acknowledged."""
        plan = sink.plan(frame, records)
        self._reporter.once(plan.refused)
        self._reporter.add(refused=sum(plan.refused.values()))
        return sum(self._request(sink, patience, frame, request) for request in plan.requests)

    def _request(self, sink: Sink, patience: Patience, frame: Frame, records: list[Record]) -> int:
        """Send the records, and again only those that may yet be taken. How many were acknowledged."""
        pending = records
        acknowledged = 0

        def attempt() -> None:
            nonlocal pending, acknowledged
            outcome = sink.send(frame, pending)
            self._ledger.append(outcome.acknowledged)
            self._reporter.once(outcome.refused)
            self._reporter.add(records=len(outcome.acknowledged), refused=sum(outcome.refused.values()))
            acknowledged += len(outcome.acknowledged)
            pending = outcome.retriable
            if pending:
                raise UnavailableError(outcome.why_retriable)

        patience.call(attempt)
        return acknowledged
