"""Databricks' source format of a Python notebook, taken apart into cells."""

from dataclasses import dataclass
from enum import Enum, auto

from databricks_jobs.notebooks.errors import SourceError

HEADER = "# Databricks notebook source"
SEPARATOR = "# COMMAND ----------"
MAGIC = "# MAGIC"
TITLE = "# DBTITLE"


class Kind(Enum):
    """What a cell is."""

    PYTHON = auto()
    MARKDOWN = auto()
    RUN = auto()


@dataclass(frozen=True)
class Cell:
    """One cell. `text` is its code, its Markdown, or the path of the notebook that `%run` includes; `line` where it begins, from 1."""

    kind: Kind
    text: str
    line: int


def cells(text: str) -> list[Cell]:
    """The notebook's cells, but for those with nothing in them. Raises `SourceError`."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != HEADER:
        raise SourceError(f"This is no notebook: its first line is {lines[:1]}, where {HEADER!r} is expected.")
    found: list[Cell] = []
    begin = 1
    for end in range(1, len(lines) + 1):
        if end == len(lines) or lines[end].rstrip() == SEPARATOR:
            if cell := _cell(lines[begin:end], begin + 1):
                found.append(cell)
            begin = end + 1
    return found


def _cell(lines: list[str], line: int) -> Cell | None:
    told = [text for text in lines if text.strip() and not text.startswith(TITLE)]
    if not told:
        return None
    if not told[0].startswith(MAGIC):
        return Cell(Kind.PYTHON, "\n".join(lines), line)
    if not all(text.startswith(MAGIC) for text in told):
        raise SourceError(f"The cell at line {line} has lines with {MAGIC!r} and lines without.")
    body = "\n".join(text.removeprefix(MAGIC).removeprefix(" ") for text in told)
    name = body.split(maxsplit=1)[0] if body.strip() else MAGIC
    rest = body.removeprefix(name).strip()
    match name:
        case "%md":
            return Cell(Kind.MARKDOWN, rest, line)
        case "%run" if len(rest.split()) == 1:
            return Cell(Kind.RUN, rest, line)
        case "%run":
            raise SourceError(f"%run at line {line} takes one notebook, and here no arguments: {rest!r} was found.")
    raise SourceError(f"{name} at line {line} is not supported here; %md and %run are.")
