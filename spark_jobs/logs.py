"""The two kinds of log that records come from, and how a record's place in each is written."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Log:
    """One kind of log."""

    place: Mapping[str, str]
    """Where a raw record came from: its columns and their SQL types."""
    identity: tuple[str, ...]
    """The columns of `place` that no two records share."""
    kept: tuple[str, ...]
    """The columns of `place` that a clean row keeps, each under a name that begins with `source_`."""
    order: tuple[str, ...]
    """SQL over what is kept, `{}` before each name: of two records of one post, the larger is the last in its log (contract §6)."""

    def position(self, row: str = "") -> str:
        """SQL for where a clean row stands in the order of its log. `row` is an alias with its dot, or nothing."""
        return f"struct({', '.join(column.format(f'{row}source_') for column in self.order)})"


KAFKA = Log(
    place={"source": "string", "topic": "string", "partition": "int", "offset": "bigint"},
    identity=("topic", "partition", "offset"),
    kept=("partition", "offset"),
    order=("{}offset", "{}partition"),
)
"""A topic's partitions, by way of the lake: `source` is the object."""

KINESIS = Log(
    place={"stream": "string", "shard": "string", "sequence": "string", "subsequence": "int"},
    identity=("stream", "shard", "sequence", "subsequence"),
    kept=("shard", "sequence", "subsequence"),
    # Sequence numbers are decimal and exceed every numeric type: the longer is the larger.
    order=("length({}sequence)", "{}sequence", "{}subsequence"),
)
"""A stream's shards. `subsequence` counts the records that a producer packed into one."""
