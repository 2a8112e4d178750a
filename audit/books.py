"""The books and their balance, in DuckDB: on disk, so that millions of records need no more memory than thousands."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import duckdb
import pyarrow as pa

MEMORY = "384MB"
"""DuckDB's; what does not fit goes to its file."""

EXAMPLES = 20
"""Of each kind of difference."""

Meaning = Literal["lost", "twice", "strange"]
"""`strange` is what ought not to be there at all."""

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Kind:
    """A kind of difference: what it means, what it is called, what to do, and SQL for its examples, ordered."""

    means: Meaning
    name: str
    advice: str
    sql: str


KINDS = (
    Kind(
        "lost",
        "acknowledged, and not in Kafka",
        "A record is lost before the broker, or the ledger tells of another stack.",
        """select topic, "partition", "offset", frame, ind from acknowledged
        anti join records using (topic, "partition", "offset")
        left join partitions using (topic, "partition")
        where "offset" >= coalesce(first_offset, 0) order by all""",
    ),
    Kind(
        "strange",
        "acknowledged for one post, and in the lake as another",
        "The ledger tells of another stack, or offsets were given twice.",
        """select topic, "partition", "offset", acknowledged.ind, lines.ind as ind_in_the_lake
        from acknowledged join lines using (topic, "partition", "offset")
        where lines.ind is distinct from acknowledged.ind order by all""",
    ),
    Kind(
        "lost",
        "in Kafka, and neither in an object nor a dead letter",
        "The S3 sink is behind, or has lost it: `make status` shows its state.",
        """select topic, "partition", "offset" from records
        anti join lines using (topic, "partition", "offset")
        anti join dead_letters using (topic, "partition", "offset") where not tombstone order by all""",
    ),
    Kind(
        "strange",
        "in an object, and not in Kafka",
        "The lake holds what the broker never had.",
        """select topic, "partition", "offset" from lines
        anti join records using (topic, "partition", "offset")
        left join partitions using (topic, "partition")
        where "offset" >= coalesce(first_offset, 0) order by all""",
    ),
    Kind(
        "lost",
        "a gap between two objects",
        "Offsets that no object holds and no dead letter explains.",
        """select topic, "partition", expected_offset as "offset", first_offset - 1 as up_to, "key" as before from gaps
        where first_offset - expected_offset > explained order by all""",
    ),
    Kind(
        "twice",
        "an overlap of two objects",
        "Records have landed twice.",
        """select topic, "partition", first_offset as "offset", expected_offset - 1 as up_to, "key" from spans
        where first_offset < expected_offset order by all""",
    ),
    Kind(
        "strange",
        "an object whose metadata and lines disagree",
        "It was cut off, or written by something else.",
        """select topic, "partition", first_offset as "offset", last_offset, said_first, said_last, "key" from spans
        where said_first <> first_offset or said_last <> last_offset order by all""",
    ),
    Kind(
        "strange",
        "an object without a place in the layout",
        "Nothing else may stand under topics/ (contract §5).",
        """select "key" from strangers order by all""",
    ),
    Kind(
        "lost",
        "in an object, and neither in the table nor in quarantine",
        "If no batch has run since it landed, `make batch` takes it in; else it is lost.",
        """select topic, "partition", "offset", ind from line_fates where fate = 'missing' order by all""",
    ),
    Kind(
        "twice",
        "in the table and in quarantine",
        "A record has one fate.",
        """select topic, "partition", "offset", ind from line_fates where fate = 'both' order by all""",
    ),
    Kind(
        "strange",
        "a row that no line of the lake explains",
        "The table holds what never landed; `make batch ARGS=--full` makes it again.",
        """select frame, "partition", "offset", ind from rows
        anti join lines using (frame, "partition", "offset", ind) order by all""",
    ),
    Kind(
        "strange",
        "a quarantined record that no line of the lake explains",
        "Quarantine holds what never landed; `make batch ARGS=--full` makes it again.",
        """select topic, "partition", "offset" from quarantine
        anti join lines using (topic, "partition", "offset") order by all""",
    ),
    Kind(
        "twice",
        "a post that stands twice in the batch table",
        "A table holds one row for each ind (contract §6).",
        """select frame, ind, count(*) as times from rows group by all having count(*) > 1 order by all""",
    ),
    Kind(
        "twice",
        "a record that stands twice in the batch quarantine",
        "A record is quarantined once.",
        """select topic, "partition", "offset", count(*) as times from quarantine group by all
        having count(*) > 1 order by all""",
    ),
    Kind(
        "lost",
        "acknowledged, and neither in the streaming table nor in quarantine",
        "The streaming job is behind (`make stream-status`), or has lost it, or the ledger tells of another stack.",
        """select stream, shard, sequence, ind from stream_fates where fate = 'missing' order by all""",
    ),
    Kind(
        "twice",
        "a post that stands twice in the streaming table",
        "A table holds one row for each ind (contract §6).",
        """select frame, ind, count(*) as times from stream_rows group by all having count(*) > 1 order by all""",
    ),
    Kind(
        "twice",
        "a record that stands twice in the streaming quarantine",
        "A record is quarantined once.",
        """select stream, shard, sequence, subsequence, count(*) as times from stream_quarantine group by all
        having count(*) > 1 order by all""",
    ),
)

_BATCH = """
select topic,
    (select count(distinct ("partition", "offset")) from acknowledged a where a.topic = t.topic) as acknowledged,
    (select count(*) from records r where r.topic = t.topic) as in_kafka,
    (select count(*) from records r where r.topic = t.topic and tombstone) as tombstones,
    (select count(distinct ("partition", "offset")) from dead_letters d where d.topic = t.topic) as dead_letters,
    count(fate) as in_objects,
    count(*) filter (fate = 'current') as "rows",
    count(*) filter (fate = 'superseded') as superseded,
    count(*) filter (fate = 'quarantined') as quarantined,
    count(*) filter (fate = 'missing') as missing
from (select topic from partitions union select topic from acknowledged) t
left join line_fates using (topic)
group by topic order by topic
"""

_STREAMING = """
select stream, count(*) as acknowledged,
    count(*) filter (fate = 'current') as "rows",
    count(*) filter (fate = 'superseded') as superseded,
    count(*) filter (fate = 'quarantined') as quarantined,
    count(*) filter (fate = 'missing') as missing
from stream_fates group by stream order by stream
"""


@dataclass(frozen=True)
class Difference:
    """A kind of difference that was found: how often, and up to 20 examples, each with its place."""

    means: Meaning
    kind: str
    advice: str
    count: int
    examples: list[dict[str, Any]]


@dataclass(frozen=True)
class Balance:
    """The counts of each hop, by topic and by stream, and all differences."""

    batch: list[dict[str, Any]]
    streaming: list[dict[str, Any]]
    differences: list[Difference] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """Records of both paths that the far side acknowledged."""
        return sum(int(row["acknowledged"]) for row in (*self.batch, *self.streaming))

    @property
    def balanced(self) -> bool:
        """Every record is accounted for, and there were some: an audit that saw none proves nothing."""
        return not self.differences and self.acknowledged > 0

    def count(self, means: Meaning) -> int:
        """Differences of one meaning. One record may show at several hops."""
        return sum(difference.count for difference in self.differences if difference.means == means)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if not self.acknowledged:
            return "The ledger holds no acknowledgement, so nothing was audited. `make emulate` sends posts."
        if self.balanced:
            return f"Balanced: each of {self.acknowledged} acknowledged records is where it belongs, once."
        kinds = "; ".join(f"{difference.count} × {difference.kind}" for difference in self.differences)
        return f"The books of {self.acknowledged} acknowledged records do not balance: {kinds}."

    def as_dict(self) -> dict[str, Any]:
        return {"balanced": self.balanced, "acknowledged": self.acknowledged, **asdict(self)}


class Books:
    """What was read, hop by hop. Made by `opened`."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        database.execute((_HERE / "schema.sql").read_text())

    def enter(self, table: str, batches: Iterable[Mapping[str, list[Any]]]) -> None:
        """Append to a table of `schema.sql`: batches of columns, by name. A column that is left out is null."""
        for batch in batches:
            self.enter_arrow(table, pa.table(dict(batch)))

    def enter_arrow(self, table: str, rows: Any, columns: str = "*") -> None:
        """The same from anything that DuckDB reads as Arrow, a stream as well. `columns` is SQL over it."""
        self._database.register("incoming", rows)
        self._database.execute(f'insert into "{table}" by name select {columns} from incoming')
        self._database.unregister("incoming")

    def balance(self) -> Balance:
        """Follow every record that was entered to where it ended."""
        self._database.execute((_HERE / "fates.sql").read_text())
        found = []
        for kind in KINDS:
            if count := self._rows(f"select count(*) as found from ({kind.sql})")[0]["found"]:
                found.append(
                    Difference(kind.means, kind.name, kind.advice, count, self._rows(f"{kind.sql} limit {EXAMPLES}"))
                )
        return Balance(self._rows(_BATCH), self._rows(_STREAMING), found)

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        rows: pa.Table = self._database.sql(sql).to_arrow_table()
        return list(rows.to_pylist())


@contextmanager
def opened() -> Iterator[Books]:
    """Empty books in a temporary folder, which is removed afterwards."""
    with TemporaryDirectory(prefix="audit-") as folder, duckdb.connect(str(Path(folder) / "books.duckdb")) as database:
        database.execute(f"set memory_limit = '{MEMORY}'; set preserve_insertion_order = false")
        yield Books(database)
