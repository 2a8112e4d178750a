"""`python -m rest_proxy`: serve until SIGTERM, then finish what is under way."""

import sys

import uvicorn
from pydantic import ValidationError

from rest_proxy import logs
from rest_proxy.app import create_app
from rest_proxy.settings import Settings, told


def main() -> None:
    """Read the settings and serve. Ends with a sentence if a setting is missing or impossible."""
    logs.configure()
    try:
        settings = Settings()  # type: ignore[call-arg]  # the fields come from the environment
    except ValidationError as error:
        sys.exit(told(error))
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        # Every request under way ends within its metadata and delivery timeouts.
        timeout_graceful_shutdown=int(settings.metadata_timeout_s + settings.delivery_timeout_s) + 5,
    )


main()
