"""Whatever is sent through the front door ends as a row, in quarantine, as a dead letter, or refused with a reason; once, and nothing stops.

The cases are the table of tests/odd_inputs.py, and, for what is not odd at all, the original clients. This module comes last of all (see
conftest.py): its posts are in no ledger.
"""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
import requests
from confluent_kafka import Consumer, TopicPartition
from rich.console import Console

from settings import FRAMES, Frame, Settings
from stack import batch, compose, connector, lake, streams
from stack.waiting import wait_until
from tests.classic_clients import BODY_FORMS, DATE_FORMS, post_to_kafka
from tests.integration.conftest import Stack
from tests.integration.test_batch_path import wait_for_the_lake
from tests.odd_inputs import (
    FIRST_IND,
    FORGED,
    GOOD,
    KAFKA_JSON,
    KEY,
    MIB,
    RECORDS,
    REQUESTS,
    USER,
    Cleaned,
    DeadLettered,
    Fate,
    Nothing,
    Path,
    Quarantined,
    Record,
    Refused,
    Request,
)

Place = tuple[str, str, str]
"""Topic, partition and offset, or stream, shard and sequence number."""

CLOSERS = FIRST_IND + 20_000
CLASSICS = FIRST_IND + 30_000
RAW_CONTROL = re.compile(r"odd-?input[^\n]*[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]|\x1b\[2J", re.IGNORECASE)
FORGED_LINE = re.compile(rf"^{re.escape(FORGED)}", re.MULTILINE)


@dataclass(frozen=True)
class Sent:
    """A case that was taken, where its last record is, and what must become of that."""

    name: str
    frame: Frame
    place: Place
    fate: Fate


@dataclass
class Run:
    """What was sent and answered, and what there is after the batch's run."""

    sent: dict[Path, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    wrong_answers: list[str] = field(default_factory=list)
    before: list[tuple[str, ...]] = field(default_factory=list)
    after: list[tuple[str, ...]] = field(default_factory=list)
    since: str = ""


@pytest.fixture(scope="module")
def run(stack: Stack) -> Run:
    settings, this = stack.settings, Run()
    this.since, this.before = datetime.now(UTC).isoformat(timespec="seconds"), lives(stack)
    with requests.Session() as session:
        for path in ("batch", "streaming"):
            for frame in FRAMES:
                records = [record for record in RECORDS if record.frame == frame and path in record.fates]
                for some in requests_of(records):
                    this.sent[path] += send_records(session, settings, path, frame, some)
        for request in REQUESTS:
            send(session, settings, request, this)
        close(session, settings)
    send_classics(settings, this)
    wait_for_the_lake(settings)
    batch.clean(settings, Console())
    streams.wait_until_read(settings, Console())
    this.after = lives(stack)
    return this


def lives(stack: Stack) -> list[tuple[str, ...]]:
    """Of each container what would differ if it had ended in between."""
    names = [container.name for container in compose.containers()]
    form = "{{.Name}}|{{.State.Status}}|{{.State.StartedAt}}|{{.RestartCount}}|{{.State.OOMKilled}}"
    return sorted(tuple(line.split("|")) for line in stack.docker("inspect", "--format", form, *names).splitlines())


def requests_of(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Fifty records a request, and no more than 2 MiB."""
    some: list[Record] = []
    for record in records:
        if len(some) == 50 or sum(len(one.text) for one in [*some, record]) > 2 * MIB:
            yield some
            some = []
        some.append(record)
    if some:
        yield some


def send_records(
    session: requests.Session, settings: Settings, path: Path, frame: Frame, records: list[Record]
) -> list[Sent]:
    """Each text goes as it is written: JSON that Python would write otherwise, or not at all."""
    if path == "batch":
        values = ",".join(f'{{"value":{record.text}}}' for record in records)
        url, method, kind = f"{settings.api_url}/topics/{settings.topic(frame)}", "POST", KAFKA_JSON
    else:
        values = ",".join(f'{{"data":{record.text},"partition-key":"{n}"}}' for n, record in enumerate(records))
        url, method, kind = f"{settings.api_url}/streams/{settings.stream(frame)}/records", "PUT", "application/json"
    body = f'{{"records":[{values}]}}'.encode()
    answer = session.request(method, url, data=body, headers={"Content-Type": kind}, timeout=120)
    assert answer.status_code == 200, f"{[record.name for record in records]}: {answer.status_code} {answer.text[:500]}"
    places = acknowledged(settings, path, frame, answer)
    return [Sent(record.name, frame, place, record.fates[path]) for record, place in zip(records, places, strict=True)]


def send_classics(settings: Settings, this: Run) -> None:
    """As the original clients would: each date form by the batch's route and by the stream's, and there each body form as well."""
    dated: dict[Frame, str | None] = {"pin": None, "geo": "timestamp", "user": "date_joined"}
    for number, ((form, dates), (body, to_kinesis)) in enumerate(product(DATE_FORMS.items(), BODY_FORMS.items())):
        for frame in FRAMES:
            ind, column = CLASSICS + number, dated[frame]
            date = {column: datetime(2019, 3, 4, 5, 6, 7)} if column else {}
            row = {KEY[frame]: ind, **GOOD[frame], **date}
            fate = Cleaned(ind, {name: value.replace(tzinfo=UTC) for name, value in date.items()})
            answers: dict[Path, requests.Response] = {
                "batch": post_to_kafka(settings.api_url, settings.topic(frame), row, dates),
                "streaming": to_kinesis(settings.api_url, settings.stream(frame), row, dates),
            }
            for path, answer in answers.items():
                assert answer.status_code == 200, answer.text
                [place] = acknowledged(settings, path, frame, answer)
                this.sent[path].append(Sent(f"a classic client's, dates {form}, {body}", frame, place, fate))


def acknowledged(settings: Settings, path: Path, frame: Frame, answer: requests.Response) -> list[Place]:
    """Where the records of an answer are, of which none was refused."""
    body = answer.json()
    if path == "batch":
        assert all(one["error_code"] is None for one in body["offsets"]), body
        return [(settings.topic(frame), str(one["partition"]), str(one["offset"])) for one in body["offsets"]]
    assert not body.get("FailedRecordCount"), body
    return [(settings.stream(frame), one["ShardId"], one["SequenceNumber"]) for one in body.get("Records", [body])]


def send(session: requests.Session, settings: Settings, request: Request, this: Run) -> None:
    url = settings.api_url + request.route.replace(USER, settings.user_id)
    headers = {} if request.content_type is None else {"Content-Type": request.content_type}
    answer = session.request(request.method, url, data=request.body, headers=headers, timeout=120)
    said = f"{request.name}: {answer.status_code} {answer.text[:300]}"
    if not isinstance(request.fate, Refused):
        if answer.status_code != 200:
            this.wrong_answers.append(f"{said}; expected to be taken")
            return
        place = acknowledged(settings, request.path, request.frame, answer)[-1]
        this.sent[request.path].append(Sent(request.name, request.frame, place, request.fate))
    elif answer.status_code != request.fate.status or request.fate.words not in answer.text:
        this.wrong_answers.append(f"{said}; expected {request.fate}")
    elif answer.status_code == 200 and answer.json()["offsets"][0]["error_code"] is None:
        this.wrong_answers.append(f"{said}; expected an error of its one record")


def close(session: requests.Session, settings: Settings) -> None:
    """A good record behind whatever lies at the end of a partition: what is no line of the lake cannot be waited for."""
    for number, frame in enumerate(FRAMES):
        for partition in range(3):
            value = {"index" if frame == "pin" else "ind": CLOSERS + 10 * number + partition}
            answer = session.post(
                f"{settings.api_url}/topics/{settings.topic(frame)}/partitions/{partition}",
                data=json.dumps({"records": [{"value": value}]}),
                headers={"Content-Type": KAFKA_JSON},
                timeout=60,
            )
            assert answer.status_code == 200, answer.text


def test_what_is_refused_is_refused_with_its_reason_and_nothing_else_is(run: Run) -> None:
    assert not run.wrong_answers, "\n".join(run.wrong_answers)


def test_each_record_of_the_batch_path_has_its_fate_once(stack: Stack, run: Run) -> None:
    settings = stack.settings
    tables = {frame: rows(settings, f"batch/{frame}") for frame in FRAMES}
    quarantine = at_place(rows(settings, "batch/quarantine"), "topic", "partition", "offset")
    wanted = [one.place for one in run.sent["batch"] if isinstance(one.fate, DeadLettered)]
    dead = dead_letters(settings, wanted)
    taken = {
        frame: at_place(tables[frame], settings.topic(frame), "source_partition", "source_offset") for frame in FRAMES
    }
    assert_fates(run.sent["batch"], tables, taken, quarantine, dead)


def test_each_record_of_the_streaming_path_has_its_fate_once(stack: Stack, run: Run) -> None:
    settings = stack.settings
    tables = {frame: rows(settings, f"streaming/{settings.table(frame)}") for frame in FRAMES}
    quarantine = at_place(rows(settings, "streaming/quarantine"), "stream", "shard", "sequence")
    taken = {
        frame: at_place(tables[frame], settings.stream(frame), "source_shard", "source_sequence") for frame in FRAMES
    }
    assert_fates(run.sent["streaming"], tables, taken, quarantine, {})


Rows = list[dict[str, Any]]


def rows(settings: Settings, path: str) -> Rows:
    table = lake.table(settings, path)
    assert table is not None, f"there is no table {path}"
    found: Rows = lake.rows(table).to_pylist()
    return found


def at_place(found: Rows, log: str, *place: str) -> Mapping[Place, Rows]:
    """Rows by their place: the log's own name is a column of the quarantine, and no column of a frame's table."""
    by_place: dict[Place, Rows] = defaultdict(list)
    for row in found:
        first, second = place
        by_place[str(row.get(log, log)), str(row[first]), str(row[second])].append(row)
    return by_place


def assert_fates(
    sent: list[Sent],
    tables: Mapping[Frame, Rows],
    taken: Mapping[Frame, Mapping[Place, Rows]],
    quarantine: Mapping[Place, Rows],
    dead: Mapping[Place, list[str]],
) -> None:
    assert len(sent) >= 150, "too little was taken for this test to mean anything"
    faults = []
    for one in sent:
        held = taken[one.frame].get(one.place, [])
        put_aside, letters = quarantine.get(one.place, []), dead.get(one.place, [])
        fault = fault_of(one.fate, tables[one.frame], held, put_aside, letters)
        if fault:
            found = f"{len(held)} rows, {len(put_aside)} in quarantine, {len(letters)} dead letters"
            faults.append(f"{one.name} at {one.place}: {fault} ({found})")
    assert not faults, "\n".join(faults)


def fault_of(fate: Fate, table: Rows, held: Rows, put_aside: Rows, letters: list[str]) -> str | None:
    """What is wrong with a record's end, or None."""
    ends = (len(held), len(put_aside), len(letters))
    match fate:
        case Cleaned(ind, columns):
            if ends != (1, 0, 0) or [row for row in table if row["ind"] == ind] != held:
                return f"expected to be the one row of ind {ind}"
            different = {name: held[0][name] for name, value in columns.items() if held[0][name] != value}
            return f"expected {columns!s:.200}, found {different!s:.200}" if different else None
        case Quarantined(reason):
            if ends != (0, 1, 0):
                return "expected once in quarantine"
            reasons = put_aside[0]["reasons"]
            return None if any(reason in why for why in reasons) else f"expected the reason {reason!r}, found {reasons}"
        case DeadLettered(reason):
            if ends != (0, 0, 1):
                return "expected to be one dead letter"
            return None if reason in letters[0] else f"expected the reason {reason!r}, found {letters[0]:.200}"
        case Nothing():
            return None if ends == (0, 0, 0) else "expected to be nothing"
        case Refused():
            return "expected to be refused"


def dead_letters(settings: Settings, wanted: list[Place]) -> Mapping[Place, list[str]]:
    """What Connect said of each dead letter that there is, by the place it had; read until all of `wanted` have come."""
    consumer = Consumer(
        {"bootstrap.servers": settings.kafka_bootstrap_servers, "group.id": "odd", "enable.auto.commit": "false"}
    )
    consumer.assign([TopicPartition(settings.dead_letter_topic, partition, 0) for partition in range(3)])
    found: dict[Place, list[str]] = defaultdict(list)

    def is_complete() -> bool:
        while (message := consumer.poll(1)) is not None:
            if message.error() is None:
                headers: dict[str, bytes] = dict(message.headers() or [])  # type: ignore[arg-type]
                said = {
                    name.removeprefix("__connect.errors."): (value or b"").decode() for name, value in headers.items()
                }
                place = said["topic"], said["partition"], said["offset"]
                found[place].append(said["exception.message"] + said["exception.stacktrace"])
        return all(place in found for place in wanted)

    wait_until(is_complete, 60, lambda: AssertionError(f"no dead letters of {set(wanted) - found.keys()}"))
    consumer.close()
    return found


def test_nothing_stopped(stack: Stack, run: Run) -> None:
    assert connector.state(stack.settings) == "RUNNING"
    assert run.after == run.before


def log_of(name: str, since: str) -> str:
    """Both streams, whatever bytes they hold."""
    done = subprocess.run(["docker", "logs", "--since", since, name], check=True, capture_output=True)
    return (done.stdout + b"\n" + done.stderr).decode(errors="replace")


def test_nothing_reached_a_log_unescaped(stack: Stack, run: Run) -> None:
    faults = []
    for container in compose.containers():
        log = log_of(container.name, run.since)
        faults += [f"{container.service}: {match[0]!r:.200}" for match in RAW_CONTROL.finditer(log)]
        faults += [f"{container.service}: a forged line" for _ in FORGED_LINE.finditer(log)]
    assert not faults, "\n".join(faults)
