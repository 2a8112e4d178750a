"""How many of the records may be bad, before the fault is looked for in the cleaning instead of in them.

A quarantine that takes whatever comes hides a bug: a cleaning that rejects every record would go on unseen, with tables that no longer
grow. The batch fails at the limit, before it writes anything; the streaming job, which must go on, raises an alarm.
"""

import math
from dataclasses import dataclass

from settings import Settings


@dataclass(frozen=True)
class Limit:
    """Passed by more than `share` (0 to 1) of the records, if they are at least `records`."""

    share: float
    records: int

    @classmethod
    def of(cls, settings: Settings) -> "Limit":
        return cls(settings.quarantine_max_share, settings.quarantine_min_records)

    @property
    def enough(self) -> float:
        """So many records are enough to judge by. Of fewer, as many bad ones as count at all are more than the share."""
        return self.records / self.share if self.share else math.inf

    def is_passed(self, read: int, bad: int) -> bool:
        """Whether so many bad ones of so many records are too many."""
        # Divided, because a product may miss by a hair: 0.29 * 100 < 29.
        return bad >= self.records and bad / read > self.share

    def told(self, read: int, bad: int) -> str:
        """How it stands, to go on after "of such records, "."""
        return f"{bad:,} of {read:,} are bad ({100 * bad / read:.1f} %), where {100 * self.share:g} % may be"
