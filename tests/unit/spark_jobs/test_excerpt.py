"""What a record holds must not act on the terminal that shows it."""

import pytest

from spark_jobs.excerpt import excerpt


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ('{"ind": 1, "é🎉": "а"}', '{"ind": 1, "é🎉": "а"}'),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31m\x9b\x00", r"\x1b[31m\x9b\x00"),
        ("\u202eright to left\u2028", r"\u202eright to left\u2028"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_cannot_be_printed_is_escaped(raw, shown):
    assert excerpt(raw) == shown


def test_a_long_text_is_cut_and_says_so():
    assert excerpt("x" * 10, longest=10) == "x" * 10
    assert excerpt("x" * 11, longest=10) == "x" * 9 + "…"
    assert excerpt("\n" * 1000, longest=10) == r"\n\n\n\n" + "\\…"
