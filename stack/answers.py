"""`make answers`: the eight questions' answers (contract §7), as tables that a person can read."""

from rich.console import Console
from rich.table import Table

from settings import Settings
from stack import lake
from stack.errors import DataError

TITLES = {
    "1": "1 · Most popular category in each country",
    "2": "2 · Most popular category in each year, 2018 to 2022",
    "3": "3 · Poster with most followers in each country",
    "3_top": "3 · The country of the most followed poster",
    "4": "4 · Most popular category in each age group",
    "5": "5 · Median followers in each age group",
    "6": "6 · Users who joined in each year, 2015 to 2020",
    "7": "7 · Median followers by joining year",
    "8": "8 · Median followers by joining year and age group",
}
LONGEST = 10
"""Rows printed of an answer; the whole of it is in the lake."""


def show(settings: Settings, console: Console) -> None:
    """Print every answer. Raises `DataError` if there is none yet."""
    for name, title in TITLES.items():
        table = lake.table(settings, f"answers/{name}")
        if table is None:
            raise DataError("The questions have not been answered yet: `make emulate POSTS=1000`, then `make batch`.")
        answer = lake.rows(table)
        console.print(title, style="bold", highlight=False)  # a table's own title would be broken at the table's width
        shown = Table()
        for column in answer.column_names:
            shown.add_column(
                column, justify="right" if column.endswith("count") or column.startswith("number") else "left"
            )
        for row in answer.slice(0, LONGEST).to_pylist():
            shown.add_row(*("–" if value is None else _text(value) for value in row.values()))
        console.print(shown)
        if answer.num_rows > LONGEST:
            console.print(
                f"… and {answer.num_rows - LONGEST} rows more in s3://{settings.bucket}/answers/{name}\n",
                highlight=False,
            )
        else:
            console.print()


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)
