"""The stack's command line: `python -m stack COMMAND`, which is what `make COMMAND` calls."""

import argparse
import sys

from rich.console import Console

from settings import Settings, SettingsError, env_file
from stack import answers, compose, connector, engine, environment, images, preflight, status
from stack.errors import StackError


def up(console: Console) -> None:
    engine.ensure()
    added = environment.write(env_file())
    if added:
        console.print(f"Wrote to {env_file().name}: {', '.join(added)}", highlight=False)
    preflight.check()
    images.build()
    console.print("Starting the containers …")
    compose.up()
    settings = Settings.load()
    compose.capture("exec", "-T", "localstack", "/opt/localstack/bin/python", "localstack/deploy.py")
    connector.deploy(settings, Settings.load("container"))


def main() -> int:
    console = Console()
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "status", "answers", "down", "doctor"):
        commands.add_parser(name)
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                up(console)
            case "status":
                return 0 if status.show(Settings.load(), console) else 1
            case "answers":
                answers.show(Settings.load(), console)
            case "down":
                compose.run("down", "--remove-orphans")
    except (StackError, SettingsError) as error:
        console.print(f"[bold red]✗[/] {error}", highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
