"""Between JSON bodies and bytes."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_proxy.errors import BodyTooLargeError, ConversionFailedError, InvalidRequestError, MalformedJsonError
from rest_proxy.formats import Record, check_utf8, consumed, decode_produce, encode, has_more_records
from rest_proxy.media import Format

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PIECES = st.lists(
    st.sampled_from(
        [*'"\\{}[]:,10.e-+ \n', "\\u", "\\ud83d\\ude00", "\\ud800", "\\udc00", "é", "null", "NaN", '"a"', '"k":']
    ),
    max_size=10,
)


LIMIT = 10


def body(*records: str) -> bytes:
    return f'{{"records":[{",".join(records)}]}}'.encode()


def strictly_json(text: str) -> Any:
    """Python's reader, without what it allows beyond JSON. Raises ValueError."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    value = json.loads(text, parse_constant=refuse, parse_int=str, parse_float=str)
    json.dumps(value, ensure_ascii=False).encode()
    return value


@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_json_values_arrive_equal_and_compact(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps({"records": [{"key": [value], "value": {"v": value}}]}, ensure_ascii=ascii_only, indent=indent)
    [record] = encode(decode_produce(text.encode(), LIMIT), Format.JSON)
    compact = json.dumps({"v": value}, ensure_ascii=ascii_only, separators=(",", ":"))
    assert record.value == compact.encode()
    assert json.loads(record.key or b"") == [value]


@given(PIECES, st.booleans())
def test_exactly_json_is_taken(pieces: list[str], quoted: bool) -> None:
    text = "".join(pieces)
    text = f'"{text}"' if quoted else text
    try:
        expected = strictly_json(text)
    except ValueError:
        with pytest.raises((MalformedJsonError, InvalidRequestError)):
            decode_produce(body(f'{{"value":{text}}}'), LIMIT)
    else:
        [record] = encode(decode_produce(body(f'{{"value":{text}}}'), LIMIT), Format.JSON)
        assert (record.value is None) == (expected is None)
        assert record.value is None or strictly_json(record.value.decode()) == expected


@pytest.mark.parametrize(
    "number", ["1.10", "1e400", "-0", "-0.0", "1" + "0" * 5000, "0.1000000000000000055511151231257827"]
)
def test_numbers_keep_their_text(number: str) -> None:
    [record] = encode(decode_produce(body(f'{{"value":{number}}}'), LIMIT), Format.JSON)
    assert record.value == number.encode()


@pytest.mark.parametrize("fmt", Format)
def test_null_and_nothing_are_none(fmt: Format) -> None:
    assert encode(decode_produce(body('{"key":null,"value":null}', "{}"), LIMIT), fmt) == [Record(None, None, None)] * 2


@given(st.binary())
def test_binary_round_trip(data: bytes) -> None:
    text = b64encode(data).decode()
    [record] = encode(decode_produce(body(f'{{"key":"{text}","value":"{text}"}}'), LIMIT), Format.BINARY)
    assert record == Record(data, data, None)
    assert json.loads(consumed("t", 0, 0, data, data, Format.BINARY))["value"] == text


@pytest.mark.parametrize("value", ['"a"', '"YQ"', '"Y Q="', '"é"', "1", "{}"])
def test_what_is_not_base64(value: str) -> None:
    with pytest.raises(ConversionFailedError):
        encode(decode_produce(body(f'{{"value":{value}}}'), LIMIT), Format.BINARY)


def test_the_paths_partition_wins() -> None:
    records = decode_produce(body('{"value":1,"partition":2}', '{"value":2}'), LIMIT)
    assert [record.partition for record in encode(records, Format.JSON)] == [2, None]
    assert [record.partition for record in encode(records, Format.JSON, 1)] == [1, 1]


def test_a_negative_partition() -> None:
    with pytest.raises(InvalidRequestError, match="partition -3"):
        encode(decode_produce(body('{"value":1,"partition":-3}'), LIMIT), Format.JSON)


@pytest.mark.parametrize(
    "text", ["{}", '{"records":[]}', '{"records":null}', '{"records":[{"vlaue":1}]}', '{"record":[]}', "null", "[]"]
)
def test_json_of_another_shape(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        decode_produce(text.encode(), LIMIT)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b'{"records":[{"value":"\xed\xa0\x80"}]}', b'{"records":[{"value":' + b"[" * 100_000]
)
def test_what_is_not_json(data: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        decode_produce(data, LIMIT)


RECORDS = st.lists(st.fixed_dictionaries({}, optional={"key": JSON_VALUES, "value": JSON_VALUES}), max_size=12)


@given(RECORDS, st.integers(0, 13), st.booleans())
def test_records_are_counted_exactly(records: list[dict[str, Any]], limit: int, ascii_only: bool) -> None:
    text = json.dumps({"records": records}, ensure_ascii=ascii_only).encode()
    assert has_more_records(text, limit) == (len(records) > limit)


def test_too_many_records() -> None:
    assert len(decode_produce(body(*["{}"] * LIMIT), LIMIT)) == LIMIT
    with pytest.raises(BodyTooLargeError, match="more than 10 records"):
        decode_produce(body(*["{}"] * (LIMIT + 1)), LIMIT)


@pytest.mark.parametrize("text", [b'"' * 200_000, b'"' + b'\\"' * 200_000, b"{" * 200_000, b'{"' * 100_000])
def test_counting_takes_linear_time(text: bytes) -> None:
    """A quadratic count would not come back from these within minutes."""
    has_more_records(b"{" * (LIMIT + 1) + text, LIMIT)


@given(st.text(), st.integers(0, 3))
def test_characters_across_pieces(text: str, shift: int) -> None:
    whole = b"x" * (64 * 1024 - shift) + text.encode()
    check_utf8(whole)
    with pytest.raises(UnicodeDecodeError):
        check_utf8(whole + "é".encode()[:1])


def test_a_schema_is_let_pass() -> None:
    assert len(decode_produce(b'{"key_schema":"string","value_schema_id":1,"records":[{"value":1}]}', LIMIT)) == 1


def test_a_consumed_record() -> None:
    record = consumed("t", 1, 2, b'"k"', b'{"a": 1.10}', Format.JSON)
    assert record == b'{"topic":"t","key":"k","value":{"a": 1.10},"partition":1,"offset":2}'
    assert json.loads(consumed("t", 1, 2, None, None, Format.JSON))["value"] is None


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b'"\xff"', b"1 2"])
def test_a_consumed_record_that_is_not_json_is_named(value: bytes) -> None:
    with pytest.raises(ConversionFailedError, match="t, partition 1, offset 2"):
        consumed("t", 1, 2, None, value, Format.JSON)
