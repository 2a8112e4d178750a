"""Reading one shard in order, and noticing when records may have been lost on the way. The driver and the tasks both read by this."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from spark_jobs.errors import DataLossError
from spark_jobs.kinesis.api import Api, GoneError, Record
from spark_jobs.kinesis.positions import Kind, Position

LEAST_RETENTION = 24 * 3_600_000
"""No stream keeps its records for less (ms)."""

SLACK = 5 * 60_000
"""So long (ms) before a record may go we begin to look whether it is there: clocks differ, and trimming goes on while we look."""

MISSING_TRIES, MISSING_PAUSE = 5, 0.25
"""So often, and so many seconds apart, the tip is asked for a record that was there before, until it counts as lost."""


def report_loss(sentence: str, fail: bool) -> None:
    """Raise `DataLossError`, or warn and go on."""
    if fail:
        raise DataLossError(f"{sentence} Set failOnDataLoss to false to go on with what is left.")
    print(
        f"WARNING: kinesis: {sentence} As failOnDataLoss is false, reading goes on with what is left.", file=sys.stderr
    )


class Cursor:
    """A place in a shard that moves on with each poll.

    `position` is where it stands, with the best `since` known; `behind` (ms) is 0 at the tip; `ended` is true when a closed shard has
    nothing more.
    """

    def __init__(self, api: Api, shard: str, position: Position, fail_on_data_loss: bool) -> None:
        self.shard = shard
        self.position = position
        self.behind = 1
        self.ended = False
        self._api = api
        self._fail = fail_on_data_loss
        self._iterator: str | None = None

    def poll(self, limit: int) -> list[Record]:
        """The next records, up to `limit`; maybe none. Raises `DataLossError` if some before them may be gone."""
        if self._iterator is None:
            self._open()
        if self._iterator is None:
            return []
        asked = self._api.now()
        try:
            answer = self._api.records(self.shard, self._iterator, limit)
        except GoneError:  # an iterator lives five minutes
            self._open()
            if self._iterator is None:
                return []
            asked = self._api.now()
            answer = self._api.records(self.shard, self._iterator, limit)
        records = self._unread(answer.records)
        if records:
            since = max(records[-1].arrival, self.position.since or 0)
            self.position = Position(Kind.AFTER, records[-1].sequence, since)
        elif answer.behind == 0 and answer.iterator is not None:
            # Not so at the end of a closed shard: since then its children have had records.
            self.position = replace(self.position, since=asked)
        self._iterator, self.behind, self.ended = answer.iterator, answer.behind, answer.iterator is None
        return records

    def _unread(self, records: list[Record]) -> list[Record]:
        """Without what comes before the position: a time may be rounded on its way, and a trimmed record be stood for by the oldest left."""
        kind, value = self.position.place
        first = 0
        if kind is Kind.TIMESTAMP:
            while first < len(records) and records[first].arrival < int(value):
                first += 1
        elif kind is Kind.AFTER:
            while first < len(records) and int(records[first].sequence) <= int(value):
                first += 1
        return records[first:]

    def _open(self) -> None:
        if self.ended:
            return
        if self._may_have_lost():
            if self.position.kind is Kind.AFTER and self._continue_after():
                return
            report_loss(
                f"Records of {self.shard} may have expired before they were read: the next one came after {_utc(self.position.since)}, "
                f"and the stream keeps records for {self._api.retention() // 3_600_000} hours.",
                self._fail,
            )
        try:
            self._iterator = self._api.iterator(self.shard, self.position)
        except GoneError:
            self._open_at_oldest()

    def _open_at_oldest(self) -> None:
        """An emulator does not find what is trimmed, where AWS begins with the oldest record that is left. That is ours to read."""
        try:
            self._iterator = self._api.iterator(self.shard, Position(Kind.TRIM_HORIZON))
        except GoneError:
            report_loss(f"{self.shard} has gone from the stream before it was read to its end.", self._fail)
            self._iterator, self.ended = None, True

    def _may_have_lost(self) -> bool:
        if self.position.since is None:
            return False
        age = self._api.now() - self.position.since
        # Only a sequence number can be looked for, so only then it is worth looking early.
        age += SLACK if self.position.kind is Kind.AFTER else 0
        return age > LEAST_RETENTION and age > self._api.retention()

    def _continue_after(self) -> bool:
        """Go on after the last record read, if it is still there: as records go in order, then nothing after it is gone."""
        try:
            iterator: str | None = self._api.iterator(self.shard, self.position, at=True)
            while iterator is not None:
                answer = self._api.records(self.shard, iterator, 1)
                if answer.records and answer.records[0].sequence == self.position.value:
                    self._iterator, self.ended = answer.iterator, answer.iterator is None
                    self.behind = answer.behind
                    return True
                if answer.records or answer.behind == 0:
                    return False
                iterator = answer.iterator
        except GoneError:
            pass
        return False


def replay(
    api: Api, shard: str, start: Position, last: str, limit: int, fail_on_data_loss: bool
) -> Iterator[list[Record]]:
    """The records after `start` up to and with the sequence number `last`, as they were read once before.

    Raises `DataLossError` if the last one is gone or records before it may be.
    """
    cursor, tries = Cursor(api, shard, start, fail_on_data_loss), 0
    while True:
        fetched = cursor.poll(limit)
        records = [record for record in fetched if int(record.sequence) <= int(last)]
        if records:
            yield records
            if records[-1].sequence == last:
                return
        at_tip = not fetched and cursor.behind == 0
        tries = tries + 1 if at_tip else 0
        if len(records) < len(fetched) or cursor.ended or tries > MISSING_TRIES:
            report_loss(
                f"A batch of {shard} is to be read again, but its last record {last} has gone from the stream.",
                fail_on_data_loss,
            )
            return
        if at_tip:
            time.sleep(MISSING_PAUSE)


def _utc(since: int | None) -> str:
    return "an unknown time" if since is None else time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(since / 1000))
