"""Everything a job can say went wrong. Each message is a sentence that says what to do."""


class JobError(Exception):
    """The base of this package's errors."""


class MissingTableError(JobError):
    """A table that an earlier step makes is not there."""


class CredentialsError(JobError):
    """The keys for the bucket are not where they were said to be."""


class CheckError(JobError):
    """The tables do not hold what they must. The message lists every fault."""


class QuarantineLimitError(JobError):
    """More of a run's records are bad than may be. What was read last has been written nowhere, and is read again by the next run."""


class KinesisError(JobError):
    """The `kinesis` source cannot go on: Kinesis refuses, is not there, or a checkpoint is not this source's."""


class OptionError(KinesisError):
    """An option of the `kinesis` source is missing or has an impossible value."""


class DataLossError(KinesisError):
    """Records that were not read yet may be gone from the stream. Not raised with `failOnDataLoss` false."""
