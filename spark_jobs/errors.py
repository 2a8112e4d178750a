"""Everything a job can say went wrong. Each message is a sentence that says what to do."""


class JobError(Exception):
    """The base of this package's errors."""


class MissingTableError(JobError):
    """A table that an earlier step makes is not there."""


class CheckError(JobError):
    """The tables do not hold what they must. The message lists every fault."""
