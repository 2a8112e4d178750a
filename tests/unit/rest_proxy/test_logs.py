"""One line a problem."""

import logging
import sys

from rest_proxy.logs import NoRepeats, OneLineFormatter


def line(message: str, error: BaseException | None = None) -> str:
    info = None if error is None else (type(error), error, error.__traceback__)
    return OneLineFormatter("%(message)s").format(logging.LogRecord("n", logging.INFO, "", 0, message, None, info))


def test_a_message_stays_one_line() -> None:
    assert line("a\nINFO forged\r\x1b[31m\u2028é") == "a\\nINFO forged\\r\\x1b[31m\\u2028é"


def test_a_traceback_too() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        text = line("failed", sys.exc_info()[1])
    assert "\n" not in text
    assert "first\\nsecond" in text


def test_what_differs_in_numbers_only_is_said_once() -> None:
    def record(message: str) -> logging.LogRecord:
        return logging.LogRecord("n", logging.INFO, "", 0, message, None, None)

    filter_ = NoRepeats()
    messages = ["refused (after 0ms)", "refused (after 12ms)", "timed out", "refused (after 1ms)"]
    assert [filter_.filter(record(message)) for message in messages] == [True, False, True, False]
