import pytest

from emulator.errors import SinkError, UnavailableError
from emulator.http import Http
from emulator.ledger import KafkaAcknowledgement, KinesisAcknowledgement
from emulator.limits import MAX_RECORD_BYTES
from emulator.records import Record
from emulator.sinks import KafkaSink, KinesisSink, Outcome, kafka_post, kinesis_stream_post
from settings import Settings
from tests.unit.emulator.far_side import FarSide

ONE = [Record(7, {"ind": 7})]
THREE = [Record(7, {"ind": 7}), Record(8, {"ind": 8}), Record(9, {"ind": 9})]


NOW = 1_784_559_999.823


def to_kafka(far_side: FarSide, records: list[Record]) -> Outcome:
    return kafka_post(Http(far_side.url, clock=lambda: NOW), "u.geo", "geo", records)


def to_kinesis(far_side: FarSide, records: list[Record]) -> Outcome:
    return kinesis_stream_post(Http(far_side.url, clock=lambda: NOW), "streaming-u-geo", "geo", records)


def offset(number: int) -> dict[str, object]:
    return {"partition": 2, "offset": number, "error_code": None, "error": None}


def fault(code: int, why: str) -> dict[str, object]:
    return {"partition": None, "offset": None, "error_code": code, "error": why}


def test_kafka_acknowledges_each_record(far_side: FarSide) -> None:
    outcome = to_kafka(far_side, THREE)
    assert outcome.acknowledged == [KafkaAcknowledgement("geo", 7 + n, "u.geo", 1, n, NOW) for n in range(3)]
    assert (outcome.retriable, outcome.refused) == ([], {})


def test_kafka_answers_for_each_record_by_itself(far_side: FarSide) -> None:
    far_side.faults = [(200, {"offsets": [fault(50003, "timed out"), offset(40), fault(50002, "too large")]})]
    outcome = to_kafka(far_side, THREE)
    assert outcome.retriable == [THREE[0]]
    assert "timed out (50003)" in outcome.why_retriable
    assert outcome.acknowledged == [KafkaAcknowledgement("geo", 8, "u.geo", 2, 40, NOW)]
    assert outcome.refused == {"POST /topics/u.geo: a record was refused: too large (50002).": 1}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"error_code": 40401, "message": "Topic u.geo not found."}),
        (422, {"error_code": 422, "message": "records may not be empty"}),
        (413, {"error_code": 413, "message": "larger than 1 MB"}),
        (200, {"offsets": [offset(1)]}),
        (200, {"offsets": ["1", "2", "3"]}),
        (200, "<html>a portal</html>"),
    ],
)
def test_an_answer_that_acknowledges_nothing_refuses_all(far_side: FarSide, status: int, body: object) -> None:
    far_side.faults = [(status, body)]
    outcome = to_kafka(far_side, THREE)
    assert outcome.acknowledged == []
    assert outcome.retriable == []
    ((sentence, number),) = outcome.refused.items()
    assert f"/topics/u.geo was answered {status}" in sentence
    assert number == 3


def test_a_gateway_that_lost_its_api_is_an_outage(far_side: FarSide) -> None:
    far_side.faults = [
        (404, {"message": "The API id 'pinterest' does not correspond to a deployed API Gateway API"})
    ] * 2
    for send in (to_kafka, to_kinesis):
        with pytest.raises(UnavailableError, match="does not know the API"):
            send(far_side, ONE)


def test_kinesis_takes_one_record_by_put_record(far_side: FarSide) -> None:
    outcome = to_kinesis(far_side, ONE)
    body = {"StreamName": "streaming-u-geo", "Data": {"ind": 7}, "PartitionKey": "7"}
    assert far_side.requests == [("PUT", "/streams/streaming-u-geo/record", body)]
    assert far_side.content_types == {"application/json"}
    assert outcome.acknowledged == [
        KinesisAcknowledgement("geo", 7, "streaming-u-geo", "shardId-000000000002", f"4959{0:052}", NOW)
    ]


def test_kinesis_takes_several_by_put_records(far_side: FarSide) -> None:
    outcome = to_kinesis(far_side, THREE)
    ((method, path, body),) = far_side.requests
    assert (method, path) == ("PUT", "/streams/streaming-u-geo/records")
    assert body["records"][2] == {"data": {"ind": 9}, "partition-key": "9"}
    assert [(one.index, one.acknowledged_at) for one in outcome.acknowledged] == [(7, NOW), (8, NOW), (9, NOW)]


def test_kinesis_own_spelling_is_posted(far_side: FarSide, settings: Settings) -> None:
    sink = KinesisSink(settings, Http(far_side.url), "aws")
    assert len(sink.send("geo", THREE).acknowledged) == 3
    ((method, path, body),) = far_side.requests
    assert (method, path) == ("POST", "/streams/streaming-0a1b2c-geo/records")
    assert list(body) == ["Records"]
    assert body["Records"][2] == {"Data": {"ind": 9}, "PartitionKey": "9"}


def test_a_single_record_is_put_in_either_spelling(far_side: FarSide, settings: Settings) -> None:
    KinesisSink(settings, Http(far_side.url), "classic").send("geo", ONE)
    KinesisSink(settings, Http(far_side.url), "aws").send("geo", ONE)
    assert far_side.requests[0] == far_side.requests[1]
    assert far_side.requests[0][:2] == ("PUT", "/streams/streaming-0a1b2c-geo/record")


@pytest.mark.parametrize("name", ["ProvisionedThroughputExceededException", "InternalFailure"])
def test_kinesis_partial_failure(far_side: FarSide, name: str) -> None:
    entries = [
        {"ErrorCode": name, "ErrorMessage": "Rate exceeded for shard"},
        {"ShardId": "shardId-000000000001", "SequenceNumber": "49"},
        {"ErrorCode": "AccessDenied", "ErrorMessage": "no"},
    ]
    far_side.faults = [(200, {"FailedRecordCount": 2, "Records": entries})]
    outcome = to_kinesis(far_side, THREE)
    assert outcome.retriable == [THREE[0]]
    assert [one.index for one in outcome.acknowledged] == [8]
    assert list(outcome.refused.values()) == [1]


@pytest.mark.parametrize("records", [ONE, THREE])
@pytest.mark.parametrize("prefix", ["", "com.amazonaws.kinesis.v20131202#"])
@pytest.mark.parametrize("status", [400, 200])
def test_a_full_shard_behind_the_gateways_answer_is_retriable(
    far_side: FarSide, records: list[Record], prefix: str, status: int
) -> None:
    far_side.faults = [
        (status, {"__type": f"{prefix}ProvisionedThroughputExceededException", "message": "Rate exceeded"})
    ]
    outcome = to_kinesis(far_side, records)
    assert outcome.retriable == records
    assert outcome.refused == {}


@pytest.mark.parametrize("records", [ONE, THREE])
def test_an_unknown_stream_refuses_all(far_side: FarSide, records: list[Record]) -> None:
    far_side.faults = [(400, {"__type": "ResourceNotFoundException", "message": "Stream streaming-u-geo not found"})]
    outcome = to_kinesis(far_side, records)
    ((sentence, number),) = outcome.refused.items()
    assert "Stream streaming-u-geo not found" in sentence
    assert number == len(records)


def test_topics_and_streams_are_the_settings(far_side: FarSide, settings: Settings) -> None:
    http = Http(far_side.url)
    KafkaSink(settings, http).send("pin", ONE)
    KinesisSink(settings, http).send("user", ONE)
    assert [path for _, path, _ in far_side.requests] == [
        "/topics/0a1b2c.pin",
        "/streams/streaming-0a1b2c-user/record",
    ]


def test_only_kinesis_limits_a_request(far_side: FarSide, settings: Settings) -> None:
    http = Http(far_side.url)
    records = [Record(index, {}) for index in range(501)]
    assert KafkaSink(settings, http).plan("pin", records) == ([records], {})
    assert KafkaSink(settings, http).plan("pin", []) == ([], {})
    assert KinesisSink(settings, http).plan("pin", records) == ([records[:500], records[500:]], {})


def test_the_gateway_makes_a_record_larger(far_side: FarSide, settings: Settings) -> None:
    wide = Record(7, {"t": "é" * (MAX_RECORD_BYTES // 4)})
    requests, refused = KinesisSink(settings, Http(far_side.url)).plan("pin", [*ONE, wide])
    assert requests == [ONE]
    ((sentence, number),) = refused.items()
    assert sentence.startswith("streaming-0a1b2c-pin: post 7 was not sent")
    assert number == 1


@pytest.mark.parametrize(("kind", "name"), [(KafkaSink, "0a1b2c.pin"), (KinesisSink, "streaming-0a1b2c-pin")])
def test_the_check_before_a_run(
    far_side: FarSide, settings: Settings, kind: type[KafkaSink] | type[KinesisSink], name: str
) -> None:
    sink = kind(settings, Http(far_side.url))
    sink.check()
    far_side.check_answer = (404, {"error_code": 40401, "message": "not found"})
    with pytest.raises(SinkError, match=rf"{name} was answered 404: .*not found"):
        sink.check()
    far_side.check_answer = (503, "starting")
    with pytest.raises(SinkError, match="is the stack up"):
        sink.check()
