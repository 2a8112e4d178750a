"""One audit."""

from pathlib import Path

from audit.books import Balance, opened
from audit.sources import read_everything
from settings import Settings


def audit(settings: Settings, ledger: Path) -> Balance:
    """Read every hop, and balance. Raises `AuditError`, `StackError` or the ledger's `LedgerError` where one cannot be read."""
    with opened() as books:
        read_everything(books, settings, ledger)
        return books.balance()
