import json
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from emulator.errors import SinkError, UnavailableError
from emulator.kinesis_sdk import KinesisSdkSink, kinesis_client
from emulator.ledger import KinesisAcknowledgement
from emulator.limits import MAX_RECORD_BYTES
from emulator.records import Record
from settings import Settings
from tests.unit.emulator.far_side import FarSide, sent_data

NOW = 1_784_559_999.823
ONE = [Record(7, {"ind": 7, "title": "Идея 🎄"})]
THREE = [Record(7, {"ind": 7}), Record(8, {"ind": 8}), Record(9, {"ind": 9})]
STREAM = "streaming-0a1b2c-geo"
FULL = "ProvisionedThroughputExceededException"


def unanswered(settings: Settings) -> Settings:
    """The settings, with an endpoint where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return settings.model_copy(update={"aws_endpoint_url": f"http://127.0.0.1:{unused.getsockname()[1]}"})


@pytest.fixture
def sink(settings: Settings) -> KinesisSdkSink:
    return KinesisSdkSink(settings, kinesis_client(settings, workers=1), clock=lambda: NOW)


def test_one_record_goes_by_put_record(sink: KinesisSdkSink, far_side: FarSide) -> None:
    outcome = sink.send("geo", ONE)
    ((method, path, body),) = far_side.requests
    assert (method, path) == ("POST", "Kinesis_20131202.PutRecord")
    assert (body["StreamName"], body["PartitionKey"]) == (STREAM, "7")
    assert json.loads(sent_data(body)) == ONE[0].value
    assert "Идея 🎄" in sent_data(body).decode(), "UTF-8, and not escaped"
    assert outcome.acknowledged == [
        KinesisAcknowledgement("geo", 7, STREAM, "shardId-000000000002", f"4959{0:052}", NOW)
    ]
    assert (outcome.retriable, outcome.refused) == ([], {})


def test_several_records_go_by_put_records(sink: KinesisSdkSink, far_side: FarSide) -> None:
    outcome = sink.send("geo", THREE)
    ((_, path, body),) = far_side.requests
    assert (path, body["StreamName"]) == ("Kinesis_20131202.PutRecords", STREAM)
    assert [(json.loads(sent_data(one)), one["PartitionKey"]) for one in body["Records"]] == [
        ({"ind": 7}, "7"),
        ({"ind": 8}, "8"),
        ({"ind": 9}, "9"),
    ]
    assert [(one.index, one.acknowledged_at) for one in outcome.acknowledged] == [(7, NOW), (8, NOW), (9, NOW)]


def test_each_record_has_its_own_answer(sink: KinesisSdkSink, far_side: FarSide) -> None:
    entries = [
        {"ErrorCode": FULL, "ErrorMessage": "Rate exceeded for shard"},
        {"ShardId": "shardId-000000000001", "SequenceNumber": "49"},
        {"ErrorCode": "AccessDenied", "ErrorMessage": "no"},
    ]
    far_side.faults = [(200, {"FailedRecordCount": 2, "Records": entries})]
    outcome = sink.send("geo", THREE)
    assert outcome.retriable == [THREE[0]]
    assert outcome.why_retriable == f"{STREAM}: {FULL}"
    assert [one.index for one in outcome.acknowledged] == [8]
    assert outcome.refused == {f"PutRecords to {STREAM}: a record was refused: no (AccessDenied).": 1}


@pytest.mark.parametrize("records", [ONE, THREE])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"__type": FULL, "message": "Rate exceeded"}),
        (400, {"__type": "LimitExceededException", "message": "Rate exceeded"}),
        (429, {"message": "Too Many Requests"}),
        (500, {"__type": "InternalFailureException"}),
        (503, "starting"),
        (504, "<html>a load balancer</html>"),
    ],
)
def test_what_passes_is_unavailable_and_asked_once(
    sink: KinesisSdkSink, far_side: FarSide, records: list[Record], status: int, body: object
) -> None:
    far_side.faults = [(status, body)]
    with pytest.raises(UnavailableError, match=f"{STREAM}: An error occurred"):
        sink.send("geo", records)
    assert len(far_side.requests) == 1, "the SDK's own retries are off"


@pytest.mark.parametrize("records", [ONE, THREE])
@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (400, {"__type": "ResourceNotFoundException", "message": "Stream not found"}, "Stream not found"),
        (403, "<html>a portal</html>", "403"),
        (200, "<html>a portal</html>", STREAM),
        (200, {"FailedRecordCount": 0, "Records": [{"ShardId": "s", "SequenceNumber": "1"}]}, STREAM),
    ],
)
def test_an_answer_that_acknowledges_nothing_refuses_all(
    sink: KinesisSdkSink, far_side: FarSide, records: list[Record], status: int, body: object, sentence: str
) -> None:
    far_side.faults = [(status, body)]
    outcome = sink.send("geo", records)
    assert (outcome.acknowledged, outcome.retriable) == ([], [])
    ((told, number),) = outcome.refused.items()
    assert sentence in told
    assert number == len(records)


def test_a_dropped_connection_is_tried_again_at_once_and_once(sink: KinesisSdkSink, far_side: FarSide) -> None:
    far_side.faults = ["drop"]
    assert len(sink.send("geo", THREE).acknowledged) == 3
    assert len(far_side.requests) == 2
    far_side.faults = ["drop", "drop"]
    with pytest.raises(UnavailableError, match="does not answer"):
        sink.send("geo", THREE)
    assert len(far_side.requests) == 4


def test_nobody_there_says_why(settings: Settings) -> None:
    settings = unanswered(settings)
    sink = KinesisSdkSink(settings, kinesis_client(settings, workers=1))
    with pytest.raises(UnavailableError, match=rf"{settings.aws_endpoint_url} does not answer \(Connection refused\)"):
        sink.send("geo", ONE)
    with pytest.raises(SinkError, match=r"Connection refused.*is the stack up\?"):
        sink.check()


def test_the_check_before_a_run(sink: KinesisSdkSink, far_side: FarSide) -> None:
    sink.check()
    assert far_side.requests == []
    far_side.check_answer = (400, {"__type": "ResourceNotFoundException", "message": "not found"})
    with pytest.raises(SinkError, match=r"streaming-0a1b2c-pin: .*not found"):
        sink.check()
    far_side.check_answer = (503, "starting")
    with pytest.raises(SinkError, match="is the stack up"):
        sink.check()


def test_no_credentials_are_one_sentence(
    settings: Settings, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    settings = Settings(user_id="0a1b2c", aws_endpoint_url=far_side.url)
    sink = KinesisSdkSink(settings, kinesis_client(settings, workers=1))
    with pytest.raises(SinkError, match="The SDK cannot send to streaming-0a1b2c-pin: Unable to locate credentials"):
        sink.check()


def test_an_impossible_endpoint_is_one_sentence(settings: Settings) -> None:
    with pytest.raises(SinkError, match="The SDK cannot reach Kinesis: Invalid endpoint"):
        kinesis_client(settings.model_copy(update={"aws_endpoint_url": "no url"}), workers=1)


def test_the_local_stack_is_never_behind_a_proxy(
    settings: Settings, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    KinesisSdkSink(settings, kinesis_client(settings, workers=1)).check()


def test_workers_share_the_client_and_send_at_the_same_time(settings: Settings, far_side: FarSide) -> None:
    together = Barrier(4, timeout=30)

    def wait_for_the_others(_: int) -> None:
        together.wait()

    far_side.on_request = wait_for_the_others
    client = kinesis_client(settings, workers=4)
    assert client.meta.config.max_pool_connections == 4  # type: ignore[attr-defined]  # the stubs lack it
    sink = KinesisSdkSink(settings, client)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: sink.send("geo", ONE), range(8)))
    assert sum(len(outcome.acknowledged) for outcome in outcomes) == 8


def test_kinesis_measures_the_bytes_and_the_key(sink: KinesisSdkSink) -> None:
    frame = len('{"t": ""}') + len("7")
    fits = Record(7, {"t": "é" * ((MAX_RECORD_BYTES - frame) // 2)})
    large = Record(7, {"t": fits.value["t"] + "éé"})
    requests, refused = sink.plan("geo", [fits, large])
    assert requests == [[fits]]
    assert list(refused.values()) == [1]
