import random
from itertools import islice

from emulator.draws import draws


def indices(seed: int, highest: int, number: int) -> list[int]:
    return [draw.index for draw in islice(draws(seed, highest), number)]


def test_the_classic_sequence() -> None:
    assert indices(100, 11_000, 4) == [7528, 2863, 5730, 8304]


def test_it_is_what_the_original_loop_draws() -> None:
    random.seed(100)
    original = [(random.randrange(0, 2), random.randint(0, 11_000)) for _ in range(1_000)]
    assert [(draw.pause, draw.index) for draw in islice(draws(100, 11_000), 1_000)] == original


def test_it_is_undisturbed_by_other_users_of_random() -> None:
    sequence = draws(100, 11_000)
    first = next(sequence).index
    random.seed(1)
    assert [first, next(sequence).index] == [7528, 2863]


def test_no_index_is_above_the_highest() -> None:
    assert set(indices(100, 2, 100)) == {0, 1, 2}


def test_another_seed_draws_other_posts() -> None:
    assert indices(101, 11_000, 4) != indices(100, 11_000, 4)
