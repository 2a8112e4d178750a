"""`make replay`: send what is in quarantine through cleaning again, by a run of the batch job on Databricks."""

from rich.console import Console

from settings import Settings
from stack.batch import print_last_lines
from stack.databricks import described, follow, job_log, submit
from stack.errors import StackError


class ReplayError(StackError):
    """The replay failed. What its job said last has been printed."""


def run(settings: Settings, console: Console) -> None:
    """Run it, wait for its end, and print what it did. Raises `ReplayError` if it fails, `DatabricksError` if Databricks does not answer."""
    run_id = submit(settings, "replay", ["replay"])
    console.print(described(settings, run_id)["run_page_url"], style="dim", soft_wrap=True)
    state = follow(settings, run_id)
    lines = job_log(settings, run_id)
    if state.get("result_state") != "SUCCESS":
        print_last_lines(console, "the replay", lines)
        raise ReplayError(f"The replay failed: {state['state_message']}")
    for line in lines:
        if line.startswith("replay: "):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print("`make batch` answers the questions anew; `make quarantine` shows what is left.")
