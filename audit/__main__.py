"""The audit's command line: `python -m audit`, which is what `make audit` calls. Exit code 0 only if all balances."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from audit import report
from audit.errors import AuditError
from audit.run import audit
from emulator.errors import EmulatorError
from emulator.run import DEFAULT_LEDGER
from settings import Settings, SettingsError
from stack.errors import StackError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m audit", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines, with up to 20 examples of each difference")
    parser.add_argument("--ledger", type=Path, default=DEFAULT_LEDGER, metavar="PATH", help="what was acknowledged")
    options = parser.parse_args()
    console = Console()
    try:
        balance = audit(Settings.load(), options.ledger)
    except (AuditError, StackError, EmulatorError, SettingsError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(balance.as_dict()))
    else:
        report.show(balance, console)
    return 0 if balance.balanced else 1


if __name__ == "__main__":
    sys.exit(main())
