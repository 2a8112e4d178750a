"""The classic clients' sequence of posts (contract §2)."""

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draw:
    """One turn of the classic loop: seconds to sleep, and then the index of the post to send."""

    pause: int
    index: int


def draws(seed: int, highest_index: int) -> Iterator[Draw]:
    """The endless sequence after `random.seed(seed)`: `randrange(0, 2)`, then `randint(0, highest_index)`.

    The pause is drawn even where nobody sleeps it, or the indices would be others. With seed 100 and the classic
    table's highest index, 11000: 7528, 2863, 5730, 8304, …
    """
    chance = random.Random(seed)
    while True:
        yield Draw(chance.randrange(0, 2), chance.randint(0, highest_index))
