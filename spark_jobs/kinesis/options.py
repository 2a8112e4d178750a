"""The options of the source: their names, defaults and limits. No I/O."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from spark_jobs.errors import OptionError
from spark_jobs.kinesis.positions import Kind, Position

MAX_RECORDS_PER_FETCH = 10_000
"""Kinesis gives no more at a time."""

_T = TypeVar("_T")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DIRECTIVES = {
    "yyyy": "%Y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "Z": "%z",
    "ZZZ": "%z",
    "XXX": "%z",
}
_NAMES = (
    "streamName",
    "region",
    "endpointUrl",
    "initialPosition",
    "awsAccessKey",
    "awsSecretKey",
    "awsSessionToken",
    "maxRecordsPerFetch",
    "maxFetchDuration",
    "shardFetchInterval",
    "failOnDataLoss",
    "maxRecordsPerTrigger",
)


@dataclass(frozen=True)
class Options:
    """One stream's options. Durations are in seconds. Credentials that are None come from boto3's default chain.

    `initial` is where a new query begins: a position, or None for the time at which it starts ("latest").
    """

    stream: str
    region: str | None = None
    endpoint: str | None = None
    initial: Position | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    records_per_fetch: int = MAX_RECORDS_PER_FETCH
    fetch_duration: float = 10.0
    list_interval: float = 1.0
    fail_on_data_loss: bool = True
    records_per_trigger: int = 20_000

    @classmethod
    def of(cls, options: Mapping[str, str]) -> "Options":
        """From what a user gave to Spark; case does not matter, and an empty value is none. Raises `OptionError`."""
        names = {name.lower(): name for name in _NAMES}
        unknown = sorted(name for name in options if name.lower() not in names)
        if unknown:
            raise OptionError(f"kinesis has no option {', '.join(unknown)}. Its options are {', '.join(_NAMES)}.")
        given = {names[name.lower()]: value for name, value in options.items() if value is not None and value.strip()}

        def read(name: str, parse: Callable[[str, str], _T], default: _T) -> _T:
            return parse(name, given[name].strip()) if name in given else default

        if "streamName" not in given:
            raise OptionError("The option streamName is missing. Give it the name of the Kinesis stream.")
        if ("awsAccessKey" in given) != ("awsSecretKey" in given):
            raise OptionError(
                "Of awsAccessKey and awsSecretKey only one is given. Give both, or none to use boto3's default chain."
            )
        if "awsSessionToken" in given and "awsAccessKey" not in given:
            raise OptionError(
                "awsSessionToken is given without awsAccessKey and awsSecretKey. Give all three, or none to use boto3's default chain."
            )
        return cls(
            stream=given["streamName"].strip(),
            region=read("region", _text, None),
            endpoint=read("endpointUrl", _text, None),
            initial=read("initialPosition", _position, None),
            access_key=read("awsAccessKey", _text, None),
            secret_key=read("awsSecretKey", _text, None),
            session_token=read("awsSessionToken", _text, None),
            records_per_fetch=read("maxRecordsPerFetch", _fetch_size, cls.records_per_fetch),
            fetch_duration=read("maxFetchDuration", _seconds, cls.fetch_duration),
            list_interval=read("shardFetchInterval", _seconds, cls.list_interval),
            fail_on_data_loss=read("failOnDataLoss", _boolean, cls.fail_on_data_loss),
            records_per_trigger=read("maxRecordsPerTrigger", _count, cls.records_per_trigger),
        )


def _text(name: str, value: str) -> str | None:
    return value


def _count(name: str, value: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", value) or int(value) < 1:
        raise OptionError(f"{name} is {value!r}. Give a whole number of at least 1.")
    return int(value)


def _fetch_size(name: str, value: str) -> int:
    count = _count(name, value)
    if count > MAX_RECORDS_PER_FETCH:
        raise OptionError(
            f"{name} is {count}, but Kinesis gives at most {MAX_RECORDS_PER_FETCH} records at a time. Give less."
        )
    return count


def _seconds(name: str, value: str) -> float:
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h)", value)
    if not match:
        raise OptionError(f"{name} is {value!r}. Give a number and a unit, ms, s, m or h: 10s.")
    return float(match[1]) * _UNITS[match[2]]


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise OptionError(f"{name} is {value!r}. Give true or false.")
    return value.lower() == "true"


def _position(name: str, value: str) -> Position | None:
    if value.lower() == "latest":
        return None
    if value.lower() in ("trim_horizon", "earliest"):
        return Position(Kind.TRIM_HORIZON)
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict) or "at_timestamp" not in found or found.keys() - {"at_timestamp", "format"}:
        raise OptionError(
            f"{name} is {value!r}. Give latest, trim_horizon, earliest, or JSON such as "
            '{"at_timestamp": "2020-06-25T10:23:45Z"}, with a "format" if the time is not in ISO 8601 or seconds since 1970.'
        )
    return Position(Kind.TIMESTAMP, str(_milliseconds(name, found["at_timestamp"], found.get("format"))))


def _milliseconds(name: str, given: Any, pattern: Any) -> int:
    """A time without an offset is in UTC."""
    text = str(given).strip()
    directive = None if pattern is None else _strptime(name, pattern)
    try:
        if directive is None and re.fullmatch(r"[0-9]{1,11}(\.[0-9]+)?", text):
            return round(float(text) * 1000)
        time = datetime.fromisoformat(text) if directive is None else datetime.strptime(text, directive)
    except ValueError as error:
        expected = (
            "ISO 8601 or seconds since 1970" if pattern is None else f"the format {pattern}, with a numeric offset"
        )
        raise OptionError(f"{name} has at_timestamp {text!r}. Expected is {expected}.") from error
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return max(0, round(time.timestamp() * 1000))


def _strptime(name: str, pattern: Any) -> str:
    """Java's pattern as Python's."""
    parts = re.findall(r"([A-Za-z])(\1*)|([^A-Za-z]+)", str(pattern))
    found = []
    for first, more, literal in parts:
        if literal and "'" not in literal:
            found.append(literal.replace("%", "%%"))
        elif first + more in _DIRECTIVES:
            found.append(_DIRECTIVES[first + more])
        else:
            raise OptionError(
                f"{name} has the format {pattern!r}, of which {(first + more or literal)!r} is not known here. "
                f"Use {', '.join(_DIRECTIVES)}, or leave the format out and write the time in ISO 8601."
            )
    return "".join(found)
