import pytest

from audit.sources import post_of
from settings import Frame


@pytest.mark.parametrize(
    ("line", "frame", "ind"),
    [
        (b'{"index": 7}', "pin", 7),
        (b'{"ind": 7}', "pin", None),
        (b'{"ind": 7}', "geo", 7),
        (b'{"ind": "007"}', "user", 7),
        (b'{"ind": -7}', "user", -7),
        (b'{"ind": 7.0}', "user", None),
        (b'{"ind": true}', "user", None),
        (b'{"ind": 2147483648}', "user", None),
        (b'{"ind": "' + b"9" * 5000 + b'"}', "user", None),
        (b'{"ind": null}', "user", None),
        (b"[7]", "user", None),
        (b'"7"', "user", None),
        (b"", "user", None),
        (b"not JSON", "user", None),
        (b"\xff\xfe", "user", None),
        (b"[" * 100_000, "user", None),
    ],
)
def test_a_line_names_its_post_as_the_contract_says_or_none(line: bytes, frame: Frame, ind: int | None) -> None:
    assert post_of(line, frame) == ind
