"""Records into Kafka, each with its acknowledgement.

confluent-kafka's own `AIOProducer` is no fit here: it collects records in a buffer of its own that a timer looks at every 100 ms at the
earliest, each new record puts that off further, and its futures are resolved from a worker thread, which wakes no event loop. A request
waits for its acknowledgement, so this uses the plain producer: one thread serves the delivery reports, and the last report of a
request wakes the loop, once.
"""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from rest_proxy.errors import RestProxyError
from rest_proxy.formats import Record
from rest_proxy.kafka import UNKNOWN_TOPIC, classify, client_options
from rest_proxy.settings import Settings

_log = logging.getLogger("rest_proxy.producer")


class Delivered(msgspec.Struct, gc=False):
    """What became of one record: where it is, or why it is not (the elements of `offsets` in a produce answer)."""

    partition: int | None = None
    offset: int | None = None
    error_code: int | None = None
    error: str | None = None


def refused(error: RestProxyError) -> Delivered:
    """A record that is not in Kafka, or that Kafka did not confirm in time."""
    return Delivered(error_code=error.code, error=error.message)


class _Request:
    """The records of one request on their way. Its reports come from the producer's thread, its start from any other."""

    def __init__(self, topic: str, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self.topic = topic
        self.done: asyncio.Future[list[Delivered]] = loop.create_future()
        self._loop = loop
        self._lock = threading.Lock()
        self._left = count
        self._results: list[Delivered] = [Delivered()] * count

    def report(self, index: int, result: Delivered) -> None:
        self._results[index] = result
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.done.done():  # cancelled, when the server stops under a waiting client
            self.done.set_result(self._results)


class RecordProducer:
    """An idempotent producer that waits for all replicas in sync.

    `forget_topic` is called, from another thread, with a topic that Kafka turns out not to know any more.
    """

    def __init__(self, settings: Settings, forget_topic: Callable[[str], None]) -> None:
        self._forget_topic = forget_topic
        self._producer = Producer(
            client_options(
                settings,
                **{
                    "acks": "all",
                    "enable.idempotence": True,
                    # A key goes to the partition that Java clients, Confluent's proxy among them, would choose.
                    "partitioner": "murmur2_random",
                    # Records of one request leave together; a lone record does not wait long.
                    "linger.ms": 1,
                    "delivery.timeout.ms": int(settings.delivery_timeout_s * 1000),
                    # The topic's own limit decides what is too large: the broker's refusal is that record's error.
                    "message.max.bytes": settings.max_body_bytes + 1024,
                    # Never the limit: the budget of the requests in progress is smaller.
                    "queue.buffering.max.messages": 0,
                    "queue.buffering.max.kbytes": max(1024, settings.max_memory_bytes // 1024 * 2),
                },
            )
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve_reports, name="delivery-reports", daemon=True)
        self._thread.start()

    def _serve_reports(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(0.1)

    def start(
        self, topic: str, records: Sequence[Record], loop: asyncio.AbstractEventLoop
    ) -> asyncio.Future[list[Delivered]]:
        """Hand the records over, in their order, and return the future of their results, in the same order.

        Does not wait, and may be called in any thread; the future belongs to `loop`.
        """
        request = _Request(topic, len(records), loop)
        for index, (key, value, partition) in enumerate(records):
            try:
                self._producer.produce(
                    topic,
                    value=value,
                    key=key,
                    partition=-1 if partition is None else partition,
                    on_delivery=partial(self._reported, request, index),
                )
            except KafkaException as error:
                self._reported(request, index, error.args[0], None)
            except BufferError:
                self._reported(request, index, KafkaError(KafkaError._QUEUE_FULL), None)
        return request.done

    def _reported(self, request: _Request, index: int, error: KafkaError | None, message: Message | None) -> None:
        if error is None and message is not None:
            request.report(index, Delivered(message.partition(), message.offset()))
        elif error is not None:
            request.report(index, refused(classify(error)))
            if error.code() in UNKNOWN_TOPIC:
                self._forget_topic(request.topic)
            if error.fatal() or error.code() == KafkaError._FATAL:
                # An idempotent producer never recovers from that; a new process does, and the container's restart policy starts it.
                _log.critical("The producer cannot go on: %s. The proxy stops, to be started anew.", error.str())
                os.kill(os.getpid(), signal.SIGTERM)

    def close(self, timeout_s: float) -> None:
        """Wait for what is under way. Blocks."""
        left = self._producer.flush(timeout_s)
        self._stopping.set()
        self._thread.join()
        if left:
            _log.warning(
                "%d records were not acknowledged within %g s of stopping; their clients had no answer.",
                left,
                timeout_s,
            )
