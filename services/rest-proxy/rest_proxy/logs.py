"""One line a problem, whatever text a client or a broker put into it."""

import logging


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
