"""The two ways out through the API Gateway: Kafka by the REST proxy, and Kinesis (contract §2, §3, §4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from emulator.errors import SinkError, UnavailableError
from emulator.http import Answer, Http
from emulator.ledger import Acknowledgement, KafkaAcknowledgement, KinesisAcknowledgement
from emulator.limits import Plan, plan
from emulator.records import (
    JSON,
    BodyForm,
    Record,
    kafka_body,
    kinesis_batch_body,
    kinesis_body,
    kinesis_gateway_size,
)
from settings import FRAMES, Frame, Settings

KAFKA_JSON = "application/vnd.kafka.json.v2+json"
RETRIABLE_KAFKA_ERROR = 50003
RETRIABLE_KINESIS_ERRORS = {
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
    "ThrottlingException",
    "InternalFailure",
    "InternalFailureException",
    "ServiceUnavailable",
}
"""Types of a whole answer, or codes of single records in one."""


@dataclass
class Outcome:
    """What became of a request's records."""

    acknowledged: list[Acknowledgement] = field(default_factory=list)
    retriable: list[Record] = field(default_factory=list)
    why_retriable: str = ""
    refused: dict[str, int] = field(default_factory=dict)
    """Sentence → number of records."""


class Sink(Protocol):
    """One path's far end."""

    name: str
    """What is said to be back after an outage."""

    def check(self) -> None:
        """Raises `SinkError` or `UnavailableError` if nothing can be sent there."""

    def plan(self, frame: Frame, records: Sequence[Record]) -> Plan:
        """The requests that it takes to send the records, and which of them cannot be sent."""

    def send(self, frame: Frame, records: Sequence[Record]) -> Outcome:
        """Send the records, at least one, in one request. Raises `UnavailableError`."""


class KafkaSink:
    """The batch path."""

    name = "The API"

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings = settings
        self._http = http

    def check(self) -> None:
        for frame in FRAMES:
            _check(self._http, f"/topics/{self._settings.topic(frame)}")

    def plan(self, frame: Frame, records: Sequence[Record]) -> Plan:
        return Plan([list(records)] if records else [], {})

    def send(self, frame: Frame, records: Sequence[Record]) -> Outcome:
        return kafka_post(self._http, self._settings.topic(frame), frame, records)


class KinesisSink:
    """The streaming path."""

    name = "The API"

    def __init__(self, settings: Settings, http: Http, form: BodyForm = "classic") -> None:
        self._settings = settings
        self._http = http
        self._form = form

    def check(self) -> None:
        for frame in FRAMES:
            _check(self._http, f"/streams/{self._settings.stream(frame)}")

    def plan(self, frame: Frame, records: Sequence[Record]) -> Plan:
        return plan(self._settings.stream(frame), records, kinesis_gateway_size)

    def send(self, frame: Frame, records: Sequence[Record]) -> Outcome:
        return kinesis_stream_post(self._http, self._settings.stream(frame), frame, records, self._form)


def kafka_post(http: Http, topic: str, frame: Frame, records: Sequence[Record]) -> Outcome:
    """`POST /topics/<topic>`: the answer has one entry for each record, in their order (contract §4)."""
    path = f"/topics/{topic}"
    answer = http.send("POST", path, kafka_body(records), KAFKA_JSON)
    entries = _entries(answer, "offsets", len(records))
    if entries is None:
        return _refused_whole(path, answer, records)
    outcome = Outcome()
    for record, entry in zip(records, entries, strict=True):
        code = entry.get("error_code")
        if code is None:
            outcome.acknowledged.append(
                KafkaAcknowledgement(frame, record.index, topic, entry["partition"], entry["offset"], answer.at)
            )
        elif code == RETRIABLE_KAFKA_ERROR:
            outcome.retriable.append(record)
            outcome.why_retriable = f"{topic}: {entry.get('error')} ({code})"
        else:
            _count(outcome, f"POST {path}: a record was refused: {entry.get('error')} ({code}).")
    return outcome


def kinesis_stream_post(
    http: Http, stream: str, frame: Frame, records: Sequence[Record], form: BodyForm = "classic"
) -> Outcome:
    """`PUT …/record` for one record, else `PUT` or `POST …/records`, whose answer has one entry for each, in their order."""
    one = len(records) == 1
    method = "POST" if form == "aws" and not one else "PUT"
    path = f"/streams/{stream}/{'record' if one else 'records'}"
    body = kinesis_body(stream, records[0]) if one else kinesis_batch_body(records, form)
    answer = http.send(method, path, body, "application/json")
    # Ours answers 400 for every 4xx of Kinesis, and a gateway without response mappings answers 200: only the type tells
    # a full shard from a wrong request. AWS' gateway answers 429 where it is itself that is full, which `http` knows.
    kind = str(answer.json.get("__type", "")).rpartition("#")[2]
    if kind in RETRIABLE_KINESIS_ERRORS:
        return Outcome(retriable=list(records), why_retriable=f"{stream}: {kind}")
    entries = [answer.json] if one and answer.status == 200 else _entries(answer, "Records", len(records))
    if entries is None:
        return _refused_whole(path, answer, records)
    return kinesis_outcome(f"{method} {path}", stream, frame, records, entries, answer.at)


def kinesis_outcome(
    request: str, stream: str, frame: Frame, records: Sequence[Record], entries: Sequence[JSON], at: float
) -> Outcome:
    """What Kinesis' entries, one for each record, make of the records. `at`: when they came, in seconds since the epoch."""
    outcome = Outcome()
    for record, entry in zip(records, entries, strict=True):
        code = entry.get("ErrorCode")
        if code in RETRIABLE_KINESIS_ERRORS:
            outcome.retriable.append(record)
            outcome.why_retriable = f"{stream}: {code}"
        elif not code and "ShardId" in entry and "SequenceNumber" in entry:
            outcome.acknowledged.append(
                KinesisAcknowledgement(frame, record.index, stream, entry["ShardId"], entry["SequenceNumber"], at)
            )
        else:
            _count(outcome, f"{request}: a record was refused: {entry.get('ErrorMessage') or entry} ({code}).")
    return outcome


def _check(http: Http, path: str) -> None:
    try:
        answer = http.get(path)
    except UnavailableError as error:
        raise SinkError(f"{error}: is the stack up? `make status` says, `make up` starts it.") from error
    if answer.status != 200:
        raise SinkError(f"{http.base_url}{path} was answered {answer.status}: {answer.text[:200]}")


def _refused_whole(path: str, answer: Answer, records: Sequence[Record]) -> Outcome:
    body = answer.json
    if answer.status == 404 and "error_code" not in body and "__type" not in body:
        # Neither the REST proxy nor Kinesis: the gateway itself has lost the API, and is given it back (decision 10).
        raise UnavailableError(f"The API Gateway does not know the API: {answer.text[:200]}")
    return Outcome(refused={f"{path} was answered {answer.status}: {answer.text[:500]}": len(records)})


def _entries(answer: Answer, name: str, expected: int) -> list[JSON] | None:
    """The answer's entry for each record, or None if it is not the documented answer."""
    entries = answer.json.get(name)
    if answer.status != 200 or not isinstance(entries, list) or len(entries) != expected:
        return None
    return entries if all(isinstance(entry, dict) for entry in entries) else None


def _count(outcome: Outcome, sentence: str) -> None:
    outcome.refused[sentence] = outcome.refused.get(sentence, 0) + 1
