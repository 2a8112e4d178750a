"""The outcomes, as a table for a terminal and for a page."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from drills.drill import Outcome

_COLUMNS = ("drill", "acknowledged", "lost", "twice", "recovery", "verdict")


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    shown = Table(title="Drills", title_justify="left")
    for column in _COLUMNS:
        shown.add_column(column, justify="left" if column in ("drill", "verdict") else "right")
    for outcome in outcomes:
        shown.add_row(*_cells(outcome), style=None if outcome.passed else "red")
    console.print(shown)


def markdown(outcomes: Sequence[Outcome]) -> str:
    """With what was done, and what the fault may cost, beside it."""
    head = ("drill", "what breaks, under load", "what it may cost", *_COLUMNS[1:])
    lines = [head, tuple("---" for _ in head)]
    for outcome in outcomes:
        name, *cells = _cells(outcome)
        lines.append((f"`{name}`", outcome.drill.what, outcome.drill.may_cost, *cells))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(outcome: Outcome) -> tuple[str, ...]:
    return (
        outcome.drill.name,
        str(outcome.acknowledged),
        str(outcome.lost),
        str(outcome.twice),
        "–" if outcome.recovery is None else f"{outcome.recovery:.0f} s",
        "balanced" if outcome.passed else "failed",
    )
