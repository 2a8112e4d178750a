"""An oracle that knows the contract and not the code: the ten answers in DuckDB SQL, straight from the rows that were posted."""

from .answers import ANSWERS, answers
from .compare import compare

__all__ = ["ANSWERS", "answers", "compare"]
