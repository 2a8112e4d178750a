"""Two answers, one from the pipeline and one from the oracle: where do they differ?"""

from collections import Counter

import pyarrow as pa

_EXAMPLES = 3


def compare(answer: pa.Table, oracle: pa.Table) -> list[str]:
    """Sentences that say how `answer` differs from `oracle`; none if they hold the same rows. Order does not count, number of rows does."""
    if answer.column_names != oracle.column_names:
        return [f"The columns are {', '.join(answer.column_names)}; expected {', '.join(oracle.column_names)}."]
    found, expected = _rows(answer), _rows(oracle)
    return [
        *_sentence("missing from the answer", expected - found),
        *_sentence("in the answer and should not be", found - expected),
    ]


def _rows(table: pa.Table) -> Counter[tuple[object, ...]]:
    return Counter(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _sentence(what: str, rows: Counter[tuple[object, ...]]) -> list[str]:
    if not rows:
        return []
    examples = "; ".join(str(row) for row in sorted(rows, key=repr)[:_EXAMPLES])
    return [f"{rows.total()} of its rows are {what}, such as {examples}."]
