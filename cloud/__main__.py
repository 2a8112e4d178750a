"""The cloud's command line: `python -m cloud COMMAND`, which is what `make COMMAND` calls."""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from cloud import check, deployment, mwaa
from cloud.errors import CloudError
from settings import AWS, Settings, SettingsError, current_environment
from stack import commands
from stack.errors import StackError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cloud", description=__doc__)
    named = parser.add_subparsers(dest="command", required=True)
    for name in ("deploy", "check", "mwaa-package"):
        named.add_parser(name)
    named.add_parser("destroy").add_argument("--yes", action="store_true", help="do not ask")
    arguments = parser.parse_args()
    console = Console()
    try:
        if arguments.command == "deploy" and current_environment() != AWS:
            commands.deploy(Settings.load())
            console.print("Deployed to LocalStack. With PIPELINE_ENV=aws it goes to AWS.")
            return 0
        settings = Settings.load(AWS)
        match arguments.command:
            case "deploy":
                deployment.deploy(settings, console)
            case "destroy":
                deployment.destroy(settings, console, sure=arguments.yes)
            case "mwaa-package":
                for file in mwaa.package(settings, mwaa.FOLDER):
                    console.print(str(mwaa.FOLDER / file), highlight=False)
            case "check":
                return 0 if _check(settings, console) else 1
    except (CloudError, StackError, SettingsError) as error:
        console.print(f"[bold red]✗[/] {error}", highlight=False, soft_wrap=True)
        return 1
    except (BotoCoreError, ClientError) as error:
        console.print(f"[bold red]✗[/] AWS: {error}", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped by Ctrl-C. What CloudFormation has begun goes on.")
        return 130
    return 0


def _check(settings: Settings, console: Console) -> bool:
    shown = Table("stack", "resource", "number", title="`make deploy` would make", title_justify="left")
    for stack, types in check.would_create(settings).items():
        for number, (kind, count) in enumerate(types.items()):
            shown.add_row("" if number else stack, kind, str(count))
    console.print(shown, highlight=False)
    deployable = check.to_deploy(settings)
    for title, faults in (
        ("To deploy", deployable),
        ("To emulate, run the batch and audit", check.to_run(settings)),
    ):
        console.print(f"{title}: {'all is there.' if not faults else ''}", style="bold")
        for fault in faults:
            console.print(f"  [red]✗[/] {fault}", highlight=False, soft_wrap=True)
    return not deployable


if __name__ == "__main__":
    sys.exit(main())
