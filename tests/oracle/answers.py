"""Runs `answers.sql`."""

from pathlib import Path

import duckdb
import pyarrow as pa

ANSWERS = ("1", "2", "2_all", "3", "3_top", "4", "5", "6", "7", "8")


def answers(pinterest_data: pa.Table, geolocation_data: pa.Table, user_data: pa.Table) -> dict[str, pa.Table]:
    """The answers by name. The arguments are the source's rows that were posted, with MySQL's columns and types (contract §1)."""
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        database.register("pinterest_data", pinterest_data)
        database.register("geolocation_data", geolocation_data)
        database.register("user_data", user_data)
        database.execute(Path(__file__).with_name("answers.sql").read_text())
        return {name: database.sql(f"select * from answer_{name}").to_arrow_table() for name in ANSWERS}
