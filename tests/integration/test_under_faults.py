"""The quick drills: load down both paths while one thing breaks, then the audit. All of them: `make drill`.

This module comes after the two paths': its posts are in no ledger of theirs.
"""

import json

import pytest

from drills.catalogue import QUICK
from tests.integration.conftest import Stack


@pytest.mark.parametrize("name", QUICK)
def test_what_was_acknowledged_is_where_it_belongs_once(stack: Stack, name: str) -> None:
    stack.run("drills", name, "--folder", str(stack.folder / "drills"), timeout=900)


def test_the_audit_names_what_is_missing(stack: Stack) -> None:
    """Of the last drill's ledger, which was balanced, one line is changed to tell of a record that never was."""
    ledger = stack.folder / "drills" / QUICK[-1] / "ledger.jsonl"
    first, *others = ledger.read_text().splitlines()
    invented = (
        json.loads(first) | {"offset": 10**9} if "offset" in first else json.loads(first) | {"sequence": "9" * 56}
    )
    ledger.write_text("\n".join([json.dumps(invented), *others, ""]))
    done = stack.run("audit", "--json", "--ledger", str(ledger), check=False)
    assert done.returncode == 1
    (difference,) = json.loads(done.stdout)["differences"]
    assert (difference["means"], difference["count"]) == ("lost", 1)
