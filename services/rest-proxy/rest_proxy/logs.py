"""One line a problem, whatever text a client or a broker put into it."""

import logging
import re
import time

_REPEAT_S = 60


class NoRepeats(logging.Filter):
    """Lets a message pass once a minute, whatever numbers stand in it: a broker that is away is one problem, not one a request."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        message = re.sub(r"\d+", "", record.getMessage())
        now = time.monotonic()
        if now - self._said_at.get(message, float("-inf")) < _REPEAT_S:
            return False
        if len(self._said_at) > 100:  # never many: the client's own messages, and a few brokers
            self._said_at.clear()
        self._said_at[message] = now
        return True


class OneLineFormatter(logging.Formatter):
    """Control characters come out escaped, so that a message can neither forge a second line nor drive a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def configure() -> None:
    """Send every log, uvicorn's and librdkafka's included, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # The two that speak once an attempt or a request: Kafka's client, and the answers with a status of 500 and more.
    for name in ("rest_proxy.librdkafka", "rest_proxy"):
        logging.getLogger(name).addFilter(NoRepeats())
