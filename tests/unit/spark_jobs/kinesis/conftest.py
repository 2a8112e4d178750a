"""A stand-in for Kinesis, and streams that read it as Spark does: batch after batch, with everything through JSON and pickle."""

import json
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest

from spark_jobs.kinesis import api, source
from spark_jobs.kinesis.source import KinesisDataSource

from .far_side import Kinesis, Server


class Clock:
    """The time that both sides believe, in ms; `ahead` moves it."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead


class Stream:
    """A query on the stand-in: what Spark's micro-batch execution asks of a reader, in its order."""

    def __init__(self, url: str, **options: str) -> None:
        given = {"streamName": "posts", "region": "eu-west-1", "endpointUrl": url, "shardFetchInterval": "0s"}
        given |= {"awsAccessKey": "AKIDTEST", "awsSecretKey": "hush", "initialPosition": "trim_horizon"} | options
        self._source = pickle.loads(pickle.dumps(KinesisDataSource(given)))
        self.log: list[str] = []
        """The offset log: one JSON a batch, written before the batch is read."""
        self.restart()

    def restart(self) -> None:
        """Another process, with nothing but the log."""
        self.reader = self._source.streamReader(self._source.schema())

    def begin(self) -> dict[str, Any]:
        return json.loads(self.log[-1]) if self.log else json.loads(json.dumps(self.reader.initialOffset()))

    def plan(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Decide on a batch and write it to the log. None if there is nothing new."""
        start = self.begin()
        end = self.reader.latestOffset(start, self.reader.getDefaultReadLimit())
        if json.dumps(end) == json.dumps(start):
            return None
        self.log.append(json.dumps(end))
        return start, json.loads(self.log[-1])

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> list[Any]:
        return [pickle.loads(pickle.dumps(partition)) for partition in self.reader.partitions(start, end)]

    def run(self, start: dict[str, Any], end: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of a batch. The tasks have a reader of their own."""
        partitions = self.partitions(start, end)
        reader = pickle.loads(pickle.dumps(self.reader))
        rows = [row for part in partitions for batch in reader.read(part) for row in batch.to_pylist()]
        self.reader.commit(end)
        return rows

    def batch(self) -> list[dict[str, Any]] | None:
        planned = self.plan()
        return None if planned is None else self.run(*planned)

    def batches(self, most: int = 50) -> list[list[dict[str, Any]]]:
        """All batches that there are, without the empty ones."""
        found = []
        for _ in range(most):
            rows = self.batch()
            if rows is None:
                return [batch for batch in found if batch]
            found.append(rows)
        raise AssertionError(f"The stream has not come to an end after {most} batches.")

    def again(self) -> list[dict[str, Any]]:
        """The last batch of the log once more, as after a crash."""
        self.restart()
        start = json.loads(self.log[-2]) if len(self.log) > 1 else json.loads(json.dumps(self.reader.initialOffset()))
        return self.run(start, json.loads(self.log[-1]))

    @property
    def shards(self) -> dict[str, Any]:
        return json.loads(self.log[-1])["shards"]


def texts(batches: Any) -> list[str]:
    """The data of a batch's rows, or of several batches'."""
    rows = [row for batch in batches for row in (batch if isinstance(batch, list) else [batch])]
    return [row["data"].decode() for row in rows]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(api.Api, "now", staticmethod(made))
    return made


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "IDLE_PAUSE", 0.0)
    monkeypatch.setattr(api, "_FIRST_PAUSE", 0.01)


@pytest.fixture
def kinesis(clock: Clock) -> Kinesis:
    """A stream of one shard."""
    return Kinesis(clock=clock)


@pytest.fixture
def url(kinesis: Kinesis) -> Iterator[str]:
    server = Server(kinesis)
    yield server.url
    server.close()


@pytest.fixture
def wide(clock: Clock) -> Iterator[tuple[Kinesis, str]]:
    """A stream of three shards, and its address."""
    made = Kinesis(3, clock)
    server = Server(made)
    yield made, server.url
    server.close()
