"""What the local stand-in for a notebook's surroundings refuses. Each message is a sentence that says what was found and what to do."""


class NotebookError(Exception):
    """The root of all refusals."""


class SourceError(NotebookError):
    """A notebook's text is not in the source format, or asks for a magic command that there is none of here."""


class NotFoundError(NotebookError):
    """There is no such notebook, file, secret or widget."""


class MountError(NotebookError):
    """A bucket cannot be mounted or unmounted as asked."""


class TimedOutError(NotebookError):
    """A notebook that another one runs was not done in time."""


class UnsupportedError(NotebookError, AttributeError):
    """Databricks has it, the local stand-in does not. An `AttributeError` too, so that `hasattr` says so."""
