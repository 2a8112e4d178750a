"""The source format, taken apart."""

from pathlib import Path

import pytest
from databricks_jobs.notebooks.errors import SourceError
from databricks_jobs.notebooks.source import Cell, Kind, cells

NOTEBOOKS = Path(__file__).parents[3] / "databricks" / "notebooks"

NOTEBOOK = """# Databricks notebook source
# MAGIC %md
# MAGIC # A title
# MAGIC
# MAGIC and a text

# COMMAND ----------

# DBTITLE 1,Include it
# MAGIC %run ./other

# COMMAND ----------

# COMMAND ----------

# an ordinary comment
x = 1

y = "# COMMAND ----------"
"""


def test_each_cell_has_its_kind_and_its_line() -> None:
    assert cells(NOTEBOOK) == [
        Cell(Kind.MARKDOWN, "# A title\n\nand a text", 2),
        Cell(Kind.RUN, "./other", 8),
        Cell(Kind.PYTHON, '\n# an ordinary comment\nx = 1\n\ny = "# COMMAND ----------"', 15),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "first line is \\[\\]"),
        ("x = 1", "first line is \\['x = 1'\\]"),
        ("# Databricks notebook source\n# MAGIC %sql SELECT 1", "%sql at line 2 is not supported"),
        ("# Databricks notebook source\n# MAGIC", "# MAGIC at line 2 is not supported"),
        ("# Databricks notebook source\n# MAGIC %run", "%run at line 2 takes one notebook"),
        ("# Databricks notebook source\n# MAGIC %run ./other $x=1", "no arguments"),
        ("# Databricks notebook source\n# MAGIC %md x\ny = 1", "line 2 has lines with"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        cells(text)


@pytest.mark.parametrize("file", sorted(NOTEBOOKS.glob("*.py")), ids=lambda file: file.stem)
def test_each_notebook_of_the_repository_begins_with_what_it_is(file: Path) -> None:
    first, *others = cells(file.read_text())
    assert first.kind is Kind.MARKDOWN
    assert first.text.startswith("# ")
    for cell in others:
        if cell.kind is Kind.RUN:
            assert (NOTEBOOKS / f"{cell.text}.py").is_file()


def test_the_originals_notebooks_are_there() -> None:
    assert {file.stem for file in NOTEBOOKS.glob("*.py")} == {
        "pinterest_authenticate_aws",
        "mount_s3_bucket",
        "cleaning_utils",
        "pinterest_batch_data",
        "pinterest_streaming_data",
    }
