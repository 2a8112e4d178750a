"""Content types and wishes."""

import pytest
from rest_proxy.errors import FormatMismatchError, NotAcceptableError, UnsupportedMediaTypeError
from rest_proxy.media import V2, Format, check_accept, check_consumer_type, produce_format

JSON, BINARY = Format.JSON.media_type, Format.BINARY.media_type


@pytest.mark.parametrize("header", [JSON, JSON.upper(), f"{JSON}; charset=utf-8", f" {JSON} ;q=1"])
def test_a_produce_requests_format(header: str) -> None:
    assert produce_format(header) is Format.JSON
    assert produce_format(header.lower().replace("kafka.json", "kafka.binary")) is Format.BINARY


@pytest.mark.parametrize(
    "header",
    [None, "", "application/json", V2, "application/vnd.kafka.avro.v2+json", "application/vnd.kafka.json.v1+json"],
)
def test_an_unsupported_type(header: str | None) -> None:
    with pytest.raises(UnsupportedMediaTypeError, match="expected application/"):
        produce_format(header)


def test_consumer_calls_take_the_plain_type_and_any_embedded_one() -> None:
    for header in (V2, JSON, BINARY, "application/vnd.kafka.avro.v2+json"):
        check_consumer_type(header)
    for header in (None, "application/json"):
        with pytest.raises(UnsupportedMediaTypeError):
            check_consumer_type(header)


@pytest.mark.parametrize(
    "header", [None, "", "*/*", V2, JSON, f"{BINARY};q=0.5, {JSON}", f"{BINARY}, */*;q=0.1", "application/*"]
)
def test_what_a_json_instance_answers(header: str | None) -> None:
    check_accept(header, Format.JSON)


@pytest.mark.parametrize("header", [BINARY, f"{BINARY}, {JSON};q=0", "application/vnd.kafka.avro.v2+json"])
def test_another_format_than_the_instances(header: str) -> None:
    with pytest.raises(FormatMismatchError):
        check_accept(header, Format.JSON)


@pytest.mark.parametrize("header", ["text/html", "application/json", f"{JSON};q=nonsense"])
def test_nothing_that_could_be_answered(header: str) -> None:
    with pytest.raises(NotAcceptableError):
        check_accept(header, Format.JSON)
