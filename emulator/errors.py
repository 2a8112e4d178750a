"""What can go wrong in the emulator. Every message is a sentence for the person at the terminal."""


class EmulatorError(Exception):
    """The run cannot go on."""


class UnavailableError(EmulatorError):
    """The far side did not answer, or asked to be asked again: worth a retry."""


class SourceError(EmulatorError):
    """MySQL refuses what it is asked, and will refuse it again: a wrong password, a missing table, an empty source."""


class SinkError(EmulatorError):
    """The API refuses this emulator before any record was sent: a wrong URL, an unknown topic or stream."""


class LedgerError(EmulatorError):
    """The ledger cannot be written, or one of its lines is no acknowledgement."""
