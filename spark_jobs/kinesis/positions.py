"""Offsets: where in each shard a stream stands, and which shards may be read next. No I/O.

As JSON, in the checkpoint:

    {"init": <position>, "shards": {"shardId-…0": <position>, …}, "from": {"shardId-…1": <position>, …}}
    position = {"kind": "trim_horizon" | "timestamp" | "after" | "end", "value": "…", "since": 1700000000000}

`init` is where the query began and where a shard that is new begins. `from` is there only for shards that the offset before did not know (in the
first offset: all): where they began in this very batch. Without it a batch that is repeated could not be the same, as Spark does not keep the
initial offset in the checkpoint and "latest" would by then be another time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from spark_jobs.errors import KinesisError


class Kind(StrEnum):
    """How a position is to be read: its `value` is "", milliseconds since 1970, or a sequence number."""

    TRIM_HORIZON = "trim_horizon"
    TIMESTAMP = "timestamp"
    AFTER = "after"
    """After the record with this sequence number."""
    END = "end"
    """The shard is closed and read to its end; the value is its last record, or "" if none was read."""


@dataclass(frozen=True)
class Position:
    """A place in one shard.

    `since` (ms) is a lower bound of the arrival of the next record, the first one that was not read: as long as it is younger than the
    stream's retention, nothing can have been lost. None if nothing is known, as at the start of a query.
    """

    kind: Kind
    value: str = ""
    since: int | None = None

    @property
    def place(self) -> tuple[Kind, str]:
        return self.kind, self.value

    @property
    def sequence(self) -> str:
        """The last record read, or "" if none was."""
        return self.value if self.kind in (Kind.AFTER, Kind.END) else ""

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": self.kind.value}
        if self.value:
            found["value"] = self.value
        if self.since is not None:
            found["since"] = self.since
        return found

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> "Position":
        since = found.get("since")
        position = cls(Kind(found["kind"]), str(found.get("value", "")), None if since is None else int(since))
        if position.value or position.kind in (Kind.AFTER, Kind.TIMESTAMP):
            int(position.value)
        return position


class Shard(NamedTuple):
    """What ListShards tells about a shard. `starting` is the least sequence number that it can hold."""

    parents: tuple[str, ...]
    starting: int


@dataclass(frozen=True)
class Offset:
    """A stream's offset; see the module for its JSON."""

    init: Position
    shards: Mapping[str, Position]
    origins: Mapping[str, Position]

    def to_json(self) -> dict[str, Any]:
        def all_of(positions: Mapping[str, Position]) -> dict[str, Any]:
            return {shard: positions[shard].to_json() for shard in sorted(positions)}

        found = {"init": self.init.to_json(), "shards": all_of(self.shards)}
        return found | {"from": all_of(self.origins)} if self.origins else found

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> "Offset":
        """Raises `KinesisError` if this is not an offset of this source."""
        try:
            return cls(
                Position.of_json(found["init"]),
                {shard: Position.of_json(position) for shard, position in found["shards"].items()},
                {shard: Position.of_json(position) for shard, position in found.get("from", {}).items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise KinesisError(
                f"The checkpoint holds an offset that is not this source's: {str(found)[:200]}. "
                "Expected init, shards and positions with kind, value and since. Use another checkpoint folder."
            ) from error


def sequence_numbers(offset: str | Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """An offset's shards, from its JSON (text or parsed, as in a query's progress): shard -> (kind, sequence number).

    The kind is "trim_horizon", "timestamp", "after" or "end"; the sequence number is that of the last record read, or "" if none was.
    Raises `KinesisError` if it is not an offset of this source.
    """
    try:
        found = json.loads(offset) if isinstance(offset, str) else offset
    except ValueError as error:
        raise KinesisError(f"An offset of a kinesis stream is JSON, but this is not: {str(offset)[:200]}.") from error
    shards = Offset.of_json(found).shards
    return {shard: (position.kind.value, position.sequence) for shard, position in shards.items()}


def newly_readable(
    positions: Mapping[str, Position], shards: Mapping[str, Shard], init: Position
) -> dict[str, Position]:
    """The shards that `positions` lacks and that may be read now, with the position to begin at.

    A child may be read only after its parents, to the end: a key's records move from parent to child. What the parents said about the next
    record's arrival holds for it too, the most careful of them.
    """
    found = {}
    for name, shard in shards.items():
        if name in positions:
            continue
        if any(parent in shards and not _ended(positions.get(parent)) for parent in shard.parents):
            continue
        sinces = [positions[parent].since for parent in shard.parents if parent in positions]
        found[name] = replace(init, since=min((since for since in sinces if since is not None), default=None))
    return found


def _ended(position: Position | None) -> bool:
    return position is not None and position.kind is Kind.END


def without_expired(positions: Mapping[str, Position], shards: Mapping[str, Shard]) -> dict[str, Position]:
    """The positions without those of shards that were read to the end and that the stream has forgotten."""
    return {shard: position for shard, position in positions.items() if shard in shards or not _ended(position)}


def lost_shards(positions: Mapping[str, Position], shards: Mapping[str, Shard]) -> list[str]:
    """Shards that were not read to the end, and that the stream has forgotten."""
    return [shard for shard, position in positions.items() if shard not in shards and not _ended(position)]


def is_replaced(position: Position, shard: Shard) -> bool:
    """Is the shard another one than that which was read, with the same name? So it is after a stream was deleted and made again."""
    return bool(position.sequence) and int(position.sequence) < shard.starting
