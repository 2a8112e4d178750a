"""What makes a drill fail before the audit has a say, as sentences."""


class DrillError(Exception):
    """Base of all."""


class UnwellError(DrillError):
    """The stack was not well before the drill, or did not become well after it."""


class NotHitError(DrillError):
    """The fault did not hit: the drill proves nothing."""


class LoadError(DrillError):
    """The emulator did not outlive the fault, or too little flowed."""
