"""The drills' command line: `python -m drills [NAME …]`, which is what `make drill` calls.

They break the stack that runs, on purpose, and leave it well: all of them, or those that are named. Exit code 0 only if every one passed.
"""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from audit.errors import AuditError
from drills import report
from drills.catalogue import DRILLS, QUICK
from drills.drill import Drill, Outcome, run
from drills.errors import DrillError
from drills.stage import Stage
from emulator.errors import EmulatorError
from settings import Settings, SettingsError
from stack.compose import ROOT
from stack.errors import StackError

FOLDER = ROOT / ".state" / "drills"


def main() -> int:
    by_name = {drill.name: drill for drill in DRILLS}
    parser = argparse.ArgumentParser(prog="python -m drills", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(by_name))
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--markdown", type=Path, metavar="PATH", help="write the outcomes there as well, as a table")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for ledgers and logs")
    options = parser.parse_args()
    console = Console()
    if unknown := set(options.names) - by_name.keys():
        console.print(f"[red]✗[/] There is no drill {', '.join(sorted(unknown))}. There are: {', '.join(by_name)}.")
        return 1
    wanted = [by_name[name] for name in options.names or (QUICK if options.quick else by_name)]
    try:
        stage = Stage(Settings.load(), options.folder)
        outcomes = [_outcome(drill, stage, console) for drill in wanted]
    except SettingsError as error:
        console.print(f"[red]✗[/] {error}", highlight=False, soft_wrap=True)
        return 1
    report.show(outcomes, console)
    if options.markdown:
        options.markdown.write_text(report.markdown(outcomes))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _outcome(drill: Drill, stage: Stage, console: Console) -> Outcome:
    def say(what: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')}  {what}", highlight=False, markup=False, soft_wrap=True)

    console.rule(f"[bold]{drill.name}", align="left")
    try:
        # Other posts each time, so that tables grow and not only repeat themselves.
        return run(drill, stage, seed=time.time_ns() % 2**31, say=say)
    except (DrillError, StackError, AuditError, EmulatorError) as error:
        say(f"✗ {error}")
        return Outcome(drill, fault=str(error).splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
