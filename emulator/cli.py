"""The command line: `python -m emulator batch|streaming|both`."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import get_args

from rich.console import Console

from emulator.errors import EmulatorError
from emulator.limits import MAX_RECORDS
from emulator.progress import Reporter
from emulator.records import BodyForm
from emulator.run import (
    DEFAULT_LEDGER,
    Options,
    Via,
    user_posting_emulation_batch,
    user_posting_emulation_both,
    user_posting_emulation_streaming,
)
from settings import Settings, SettingsError

EMULATIONS = {
    "batch": user_posting_emulation_batch,
    "streaming": user_posting_emulation_streaming,
    "both": user_posting_emulation_both,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if nothing was refused, also when a person or the clock ended the run; 1 otherwise."""
    options = parser().parse_args(arguments)
    console = Console()
    stop = threading.Event()
    _end_cleanly_on_signals(stop)
    reporter = Reporter(console, wanted=options.posts)
    try:
        EMULATIONS[options.mode](Settings.load(), _options(options), reporter, stop)
        failed = reporter.totals.refused > 0
    except (EmulatorError, SettingsError) as error:
        print(f"emulator: {error}", file=sys.stderr)
        failed = True
    return int(failed)


def parser() -> argparse.ArgumentParser:
    """The arguments. Impossible values end the program with a sentence, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="emulator",
        description="Posts random rows of the source to Kafka (batch), Kinesis (streaming), or both.",
        epilog="Without --posts, --rate and --workers this is the classic endless loop, which sleeps 0 or 1 s before each "
        "post. With any of them it sends as fast as it can, or at the rate. The posts are the same ones in every case.",
    )
    parser.add_argument("mode", choices=EMULATIONS)
    parser.add_argument("--posts", type=_positive(int), metavar="N", help="end after so many posts")
    parser.add_argument("--duration", type=_positive(float), metavar="S", help="end after so many seconds")
    parser.add_argument("--rate", type=_positive(float), metavar="R", help="posts a second")
    parser.add_argument(
        "--batch-size",
        type=_positive(int, MAX_RECORDS),
        default=1,
        metavar="B",
        help="records a request, at most 500 (1)",
    )
    parser.add_argument("--workers", type=_positive(int, 64), metavar="W", help="posts under way at a time (1)")
    parser.add_argument("--seed", type=int, default=100, help="of the sequence of posts (100)")
    parser.add_argument(
        "--ledger", type=Path, default=DEFAULT_LEDGER, metavar="PATH", help="where acknowledgements are noted"
    )
    streaming = parser.add_argument_group("streaming path")
    streaming.add_argument(
        "--via",
        choices=get_args(Via),
        default="gateway",
        help="through the API Gateway as the classic clients (gateway), or straight to Kinesis as producers on AWS (sdk)",
    )
    streaming.add_argument(
        "--body-form",
        choices=get_args(BodyForm),
        default="classic",
        help="how the gateway is sent more than one record: PUT with records/data/partition-key (classic), "
        "or POST with Records/Data/PartitionKey (aws)",
    )
    return parser


def _options(arguments: argparse.Namespace) -> Options:
    return Options(**{name: value for name, value in vars(arguments).items() if name != "mode"})


def _positive(kind: type[int] | type[float], at_most: float = float("inf")) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if not 0 < value <= at_most:
            raise argparse.ArgumentTypeError(
                f"{text} is not above 0" + (f" and at most {at_most}" if value > 0 else "")
            )
        return value

    number.__name__ = kind.__name__
    return number


def _end_cleanly_on_signals(stop: threading.Event) -> None:
    """The first signal lets what is under way finish; a second Ctrl-C ends at once."""

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
