"""Keys and values between a JSON body and a record's bytes. Pure functions.

A JSON value goes to Kafka as the text that the client sent, without the blanks between its tokens. It is checked but never
turned into numbers and back: `1.10`, `1e400` and integers of any length keep each digit, escapes stay escapes, duplicate
names stay. (Confluent's proxy reads into doubles and loses digits.) It also means that no body, however nested, is blown up into
a tree of Python objects.
"""

import binascii
import codecs
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

import msgspec

from rest_proxy.errors import BodyTooLargeError, ConversionFailedError, InvalidRequestError, MalformedJsonError
from rest_proxy.media import Format

_T = TypeVar("_T")
_NULL = msgspec.Raw(b"null")
_RAW = msgspec.json.Decoder(msgspec.Raw)
_PIECE = 64 * 1024


class Record(NamedTuple):
    """What Kafka gets: bytes, or None for "no key" and for a tombstone; None as partition leaves it to the partitioner."""

    key: bytes | None
    value: bytes | None
    partition: int | None


class ProduceRecord(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One record of a request. Unknown names are refused: a `vlaue` must not become a tombstone."""

    key: msgspec.Raw = _NULL
    value: msgspec.Raw = _NULL
    partition: int | None = None


class ProduceRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a POST to a topic. The schema fields belong to formats that are not served; like Confluent, they are let pass."""

    records: list[ProduceRecord] = []
    key_schema: str | None = None
    key_schema_id: int | None = None
    value_schema: str | None = None
    value_schema_id: int | None = None


_PRODUCE = msgspec.json.Decoder(ProduceRequest)


# A text as a whole, closed or not, so that the time is linear in any body; or a bracket.
_STRUCTURE = re.compile(rb'(?s)"(?:[^"\\]|\\.)*+"?|[][{}]')


def has_more_records(body: bytes, limit: int) -> bool:
    """Whether a produce request has more than `limit` records, told without building any of them."""
    if body.count(b"{") <= limit:
        return False
    depth = records = 0
    for token in _STRUCTURE.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            records += depth == 3  # {"records": [{
            if records > limit:
                return True
        elif first in b"]}":
            depth -= 1
    return False


def check_utf8(body: bytes) -> None:
    """Raises UnicodeDecodeError. In pieces: as one text, a body can be four times as long."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), _PIECE):
        decoder.decode(body[start : start + _PIECE])
    decoder.decode(b"", final=True)


def decode(body: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    """Read a request body. Raises `MalformedJsonError`, or `InvalidRequestError` for JSON of another shape."""
    try:
        # The decoder passes over texts that it need not look at, and would let other encodings through.
        check_utf8(body)
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"The request is not of the expected shape: {error}.") from error
    except msgspec.DecodeError as error:
        raise MalformedJsonError(f"The body is not JSON: {error}.") from error
    except UnicodeDecodeError as error:
        raise MalformedJsonError(f"The body is not UTF-8: {error.reason}.") from error
    except RecursionError as error:
        raise MalformedJsonError("The body is nested too deeply to be read.") from error


def decode_produce(body: bytes, limit: int) -> list[ProduceRecord]:
    """The records of a produce request, from 1 to `limit`. Raises `BodyTooLargeError`, or as `decode` does."""
    if has_more_records(body, limit):
        raise BodyTooLargeError(f"The request has more than {limit} records; send it in several requests.")
    records = decode(body, _PRODUCE).records
    if not records:
        raise InvalidRequestError('The request holds no records; expected {"records": [{"value": ...}, ...]}.')
    return records


def _json_bytes(raw: msgspec.Raw) -> bytes | None:
    return None if raw == _NULL else msgspec.json.format(raw, indent=-1)


def _binary_bytes(raw: msgspec.Raw) -> bytes | None:
    if raw == _NULL:
        return None
    try:
        return binascii.a2b_base64(msgspec.json.decode(raw, type=str), strict_mode=True)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConversionFailedError(f"A key or value is not Base64, as the binary format requires: {error}.") from error


def encode(records: Iterable[ProduceRecord], fmt: Format, partition: int | None = None) -> list[Record]:
    """The bytes for Kafka. `partition`, from the path, wins over the records' own.

    Raises `ConversionFailedError` or `InvalidRequestError`; nothing has been sent then.
    """
    to_bytes = _json_bytes if fmt is Format.JSON else _binary_bytes
    encoded = []
    for record in records:
        to = record.partition if partition is None else partition
        if to is not None and to < 0:
            raise InvalidRequestError(f"A record asks for partition {to}; partitions count from 0.")
        encoded.append(Record(to_bytes(record.key), to_bytes(record.value), to))
    return encoded


def _json_value(data: bytes | None) -> Any:
    if data is None:
        return None
    try:
        check_utf8(data)
        return _RAW.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConversionFailedError(f"A key or value is not JSON: {error}.") from error


def _binary_value(data: bytes | None) -> Any:
    return None if data is None else b64encode(data).decode()


def consumed(topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None, fmt: Format) -> bytes:
    """One record as it stands in a reader's answer. Raises `ConversionFailedError`."""
    to_json = _json_value if fmt is Format.JSON else _binary_value
    try:
        record = {
            "topic": topic,
            "key": to_json(key),
            "value": to_json(value),
            "partition": partition,
            "offset": offset,
        }
    except ConversionFailedError as error:
        raise ConversionFailedError(
            f"The record at {topic}, partition {partition}, offset {offset} cannot be read as {fmt.value}: {error.message} "
            "Read it with a binary consumer, or move this one's position past it."
        ) from error
    return msgspec.json.encode(record)
