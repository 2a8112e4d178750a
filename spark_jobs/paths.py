"""Where everything lies in the bucket."""

from dataclasses import dataclass

from settings import Frame, Settings

CHECKPOINT = "checkpoints/streaming/{}"
"""A streaming query's one checkpoint; the beginning of its objects' keys in the bucket."""

PROGRESS = "streaming/progress/{}.jsonl"
"""A streaming query's latest reports; the key of an object in the bucket."""


@dataclass(frozen=True)
class Lake:
    """The bucket's folders, under a root such as `s3a://user-0a1b-bucket`, or a local folder in a test."""

    root: str

    @classmethod
    def of(cls, settings: Settings) -> "Lake":
        return cls(f"s3a://{settings.bucket}")

    def objects(self, topic: str) -> str:
        """What Kafka Connect landed (contract §5)."""
        return f"{self.root}/topics/{topic}"

    def table(self, frame: Frame) -> str:
        return f"{self.root}/batch/{frame}"

    @property
    def quarantine(self) -> str:
        return f"{self.root}/batch/quarantine"

    def answer(self, name: str) -> str:
        return f"{self.root}/answers/{name}"

    def checkpoints(self, frame: Frame) -> str:
        """The folder of a frame's checkpoints, of which the table names the one that is its own."""
        return f"{self.root}/checkpoints/batch/{frame}"

    def stream_table(self, name: str) -> str:
        """The streaming path's table of that name (contract §8)."""
        return f"{self.root}/streaming/{name}"

    @property
    def stream_quarantine(self) -> str:
        return f"{self.root}/streaming/quarantine"

    def stream_checkpoint(self, frame: Frame) -> str:
        """The one checkpoint of a frame's query."""
        return f"{self.root}/{CHECKPOINT.format(frame)}"
