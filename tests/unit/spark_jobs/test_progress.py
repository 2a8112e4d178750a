"""When the latest records are so bad that a person must hear of it, and when they no longer are."""

import pytest

from spark_jobs.limit import Limit
from spark_jobs.progress import alarm


def reports(*counts):
    return [{"records": records, "rejected": rejected} for records, rejected in counts]


LIMIT = Limit(share=0.2, records=100)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([], None),
        ([(10, 10)] * 9, None),  # all bad, but too few to tell
        ([(10, 10)] * 10, "100 of 100 are bad (100.0 %), where 20 % may be"),
        ([(10_000, 0), (10, 10)], None),  # one bad batch after many good records
        ([(10, 0)] * 50 + [(10, 10)] * 10, None),  # 100 of the latest 500
        ([(10, 0)] * 50 + [(10, 10)] * 11, "110 of 500 are bad (22.0 %), where 20 % may be"),
        ([(10_000, 10_000)] + [(10, 0)] * 49, "10,000 of 10,490 are bad"),  # too few good ones yet
        ([(10_000, 10_000)] + [(10, 0)] * 50, None),
        ([(10_000, 10_000), (500, 101)], "101 of 500"),
    ],
)
def test_the_latest_records_decide_over_the_alarm(counts, told):
    sentence = alarm(reports(*counts), LIMIT)
    assert (
        (sentence is None) if told is None else (sentence is not None and f"Of the latest records, {told}" in sentence)
    )


def test_without_a_share_all_kept_reports_are_judged():
    assert alarm(reports((1, 1), (10_000, 0)), Limit(share=0, records=1))


def test_reports_of_an_earlier_release_count_as_good():
    assert alarm([{"records": 500}, *reports((100, 100))], LIMIT) is None
