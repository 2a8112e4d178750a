"""What can go wrong with the stack, as sentences: which part, why, and what to do."""


class StackError(Exception):
    """Base of all. The message is the last line that a person sees."""


class EngineError(StackError):
    """There is no container engine, and none can be installed here."""


class PreflightError(StackError):
    """This machine cannot run the stack as it is. One sentence a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))


class ComposeError(StackError):
    """A container did not build, start or become healthy."""


class DataError(StackError):
    """The pipeline is up, but what was asked for is not there (yet)."""
