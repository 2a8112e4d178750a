"""The stack's command line: `python -m stack COMMAND`, which is what `make COMMAND` calls."""

import argparse
import sys

from rich.console import Console

from settings import AWS, Settings, SettingsError, current_environment
from stack import answers, batch, checks, commands, compose, quarantine, replay, status, streams
from stack.errors import StackError

OF_THIS_MACHINE = ("up", "demo", "down", "logs", "reset")
"""Commands for containers, which there are none of in the cloud."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    named = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "demo", "status", "stream-status", "answers", "quarantine", "replay", "down", "doctor", "lint"):
        named.add_parser(name)
    named.add_parser("batch").add_argument("--full", action="store_true", help="make the tables again from everything")
    named.add_parser("logs").add_argument("service", nargs="?")
    named.add_parser("reset").add_argument("--yes", action="store_true", help="do not ask")
    named.add_parser("test").add_argument("--quick", action="store_true", help="without the integration tests")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    console = Console()
    try:
        if arguments.command in OF_THIS_MACHINE and current_environment() == AWS:
            raise StackError(
                f"`make {arguments.command}` is for this machine, and PIPELINE_ENV is aws: docs/cloud.md says what is for AWS."
            )
        match arguments.command:
            case "up":
                commands.up(console)
            case "demo":
                commands.demo(console)
            case "status":
                return 0 if status.show(Settings.load(), console) else 1
            case "stream-status":
                streams.show(Settings.load(), console)
            case "answers":
                answers.show(Settings.load(), console)
            case "quarantine":
                quarantine.show(Settings.load(), console)
            case "replay":
                replay.run(Settings.load(), console)
            case "batch":
                batch.run(Settings.load(), console, full=arguments.full)
            case "down":
                compose.run("down", "--remove-orphans")
                console.print("Stopped. The data is kept; `make up` brings it back.")
            case "reset":
                commands.reset(console, sure=arguments.yes)
            case "logs":
                compose.run("logs", "--follow", "--tail", "100", *filter(None, [arguments.service]))
            case "doctor":
                commands.doctor(console)
            case "lint":
                checks.lint(console)
            case "test":
                checks.everything(console, integration=not arguments.quick)
    except (StackError, SettingsError) as error:
        console.print(f"[bold red]✗[/] {error}", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped by Ctrl-C.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
