"""What was acknowledged, as a file of JSON lines (design decision 1).

A line is written only after the far side has said where the record stands, by one `write` to a file opened for appending:
a run that is killed leaves no line that is not true, and runs at the same time do not mix their lines.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from emulator.errors import LedgerError
from settings import Frame


@dataclass(frozen=True, slots=True)
class KafkaAcknowledgement:
    """Where a record of the batch path stands in Kafka."""

    frame: Frame
    index: int
    topic: str
    partition: int
    offset: int
    acknowledged_at: float | None = None
    """When the answer came, in seconds since the epoch by this machine's clock; None in lines of before it was noted."""
    path: Literal["batch"] = "batch"


@dataclass(frozen=True, slots=True)
class KinesisAcknowledgement:
    """Where a record of the streaming path stands in Kinesis. Sequence numbers exceed 64 bits and stay text."""

    frame: Frame
    index: int
    stream: str
    shard: str
    sequence: str
    acknowledged_at: float | None = None
    """As in `KafkaAcknowledgement`."""
    path: Literal["streaming"] = "streaming"


Acknowledgement = KafkaAcknowledgement | KinesisAcknowledgement
_KINDS: dict[str, type[Acknowledgement]] = {"batch": KafkaAcknowledgement, "streaming": KinesisAcknowledgement}


class Ledger:
    """Appends to the file, which it makes with its folder. Safe to share between threads. Raises `LedgerError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._drop_half_written_line()
        except OSError as error:
            raise LedgerError(f"The ledger {path} cannot be opened ({error.strerror}).") from error

    def append(self, acknowledgements: Iterable[Acknowledgement]) -> None:
        """Write all of them, at once."""
        data = "".join(json.dumps(asdict(one)) + "\n" for one in acknowledgements).encode()
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise LedgerError(f"The ledger {self._path} cannot be written ({error.strerror}).") from error
        if written < len(data):
            raise LedgerError(f"The ledger {self._path} took {written} of {len(data)} bytes: is the disk full?")

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def _drop_half_written_line(self) -> None:
        """Cut off what a machine that died left behind; else our first line would be glued to it.

        Only if nobody else has the file open, for then a line may be on its way. Whoever has it holds the lock.
        """
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            end = _end_of_last_line(self._file)
            if end < os.lseek(self._file, 0, os.SEEK_END):
                os.ftruncate(self._file, end)
        fcntl.flock(self._file, fcntl.LOCK_SH)


def read_ledger(path: Path) -> Iterator[Acknowledgement]:
    """Every acknowledgement in the file, one at a time. A missing file is an empty one.

    The last line may be half written and is then left out; raises `LedgerError` for any other bad line.
    """
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                fields = json.loads(line)
                yield _KINDS[fields["path"]](**fields)
            except (ValueError, KeyError, TypeError) as error:
                raise LedgerError(f"{path}, line {number} is no acknowledgement: {line[:80]!r}.") from error


def _end_of_last_line(file: int) -> int:
    end = os.lseek(file, 0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
