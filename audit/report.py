"""The balance, for a person."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit.books import Balance

_SHOWN = 5
"""Examples of a kind on a terminal; `--json` has all that were kept."""


def show(balance: Balance, console: Console) -> None:
    """The hops' counts, then each kind of difference with its examples, then the verdict."""
    _hops("Batch path, records", balance.batch, console)
    _hops("Streaming path, acknowledged records", balance.streaming, console)
    for difference in balance.differences:
        console.print(
            f"[red]✗[/] {difference.count} × {difference.kind}. {difference.advice}", highlight=False, soft_wrap=True
        )
        for example in difference.examples[:_SHOWN]:
            place = ", ".join(f"{name} {value}" for name, value in example.items())
            console.print(Text(f"    {place}", style="dim"), soft_wrap=True)
        if difference.count > _SHOWN:
            console.print(f"    … and {difference.count - _SHOWN} more", style="dim", highlight=False)
    sign = "[green]✓[/]" if balance.balanced else "[red]✗[/]"
    console.print(f"{sign} {balance.verdict}", highlight=False, soft_wrap=True)


def _hops(title: str, counts: list[dict[str, Any]], console: Console) -> None:
    """A row a hop, a column a topic or stream, whose name is the first of `counts`."""
    if not counts:
        return
    (log, *hops) = counts[0]
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    shown.add_column("")
    for each in counts:
        shown.add_column(each[log], justify="right")
    for hop in hops:
        shown.add_row(hop.replace("_", " "), *(str(each[hop]) for each in counts))
    console.print(shown)
