"""How many bad records are too many: a share of what was read, and a number of them."""

import pytest

from spark_jobs.limit import Limit


@pytest.mark.parametrize(
    ("read", "bad", "passed"),
    [
        (0, 0, False),
        (500, 100, False),  # as many as may be
        (499, 100, True),
        (500, 101, True),
        (99, 99, False),  # all of them, but too few to tell
        (100, 100, True),
        (100_000, 20_000, False),
        (100_000, 20_001, True),
    ],
)
def test_only_more_than_the_share_and_at_least_the_number_are_too_many(read, bad, passed):
    assert Limit(share=0.2, records=100).is_passed(read, bad) is passed


def test_the_limit_itself_is_no_question_of_rounding():
    for bad in range(1, 100):
        assert not Limit(share=bad / 100, records=1).is_passed(100, bad)


def test_a_share_of_one_lets_everything_pass_and_of_none_nothing():
    assert not Limit(share=1, records=1).is_passed(1000, 1000)
    assert Limit(share=0, records=1).is_passed(1000, 1)
