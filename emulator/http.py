"""HTTP as the sinks need it: a kept-alive session for each thread, and two outcomes, an answer or `UnavailableError`."""

import json
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import requests
from urllib3.exceptions import ProtocolError

from emulator.errors import UnavailableError
from emulator.records import JSON

TIMEOUT = (5, 60)
"""Seconds to connect, and to wait for the answer. LocalStack's first Kinesis call starts a process."""


class Answer(NamedTuple):
    """A status below 500 that is not 429, with its body."""

    status: int
    text: str
    at: float
    """When it had arrived, in seconds since the epoch."""

    @property
    def json(self) -> JSON:
        """The body as a JSON object; empty if it is none."""
        try:
            body = json.loads(self.text)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}


class Http:
    """Requests below one base URL; safe to share between threads."""

    def __init__(self, base_url: str, clock: Callable[[], float] = time.time, api_key: str = "") -> None:
        """`api_key` is what an API Gateway that is not open asks for."""
        self.base_url = base_url.rstrip("/")
        self._headers = {"x-api-key": api_key} if api_key else {}
        self._clock = clock
        self._local = threading.local()

    def get(self, path: str) -> Answer:
        """Raises `UnavailableError`."""
        return self._request("GET", path, None, "application/json")

    def send(self, method: str, path: str, body: JSON, content_type: str) -> Answer:
        """Raises `UnavailableError` if nobody answers, or if the answer is 429 or 5xx: come again."""
        return self._request(method, path, json.dumps(body, ensure_ascii=False).encode(), content_type)

    def _request(self, method: str, path: str, body: bytes | None, content_type: str) -> Answer:
        try:
            response = self._once_more_if_dropped(method, f"{self.base_url}{path}", body, content_type)
        except requests.RequestException as error:
            raise UnavailableError(f"{self.base_url} does not answer ({reason(error)})") from error
        at = self._clock()
        if response.status_code == 429 or response.status_code >= 500:
            raise UnavailableError(f"{method} {path} was answered {response.status_code}: {response.text[:200]}")
        return Answer(response.status_code, response.text, at)

    def _once_more_if_dropped(self, method: str, url: str, body: bytes | None, content_type: str) -> requests.Response:
        """A server may drop an idle connection just as it is used again. That is no outage: try at once, and once."""
        headers = {"Content-Type": content_type}
        try:
            return self._session.request(method, url, data=body, headers=headers, timeout=TIMEOUT)
        except requests.ConnectionError as error:
            if not (error.args and isinstance(error.args[0], ProtocolError)):
                raise
            return self._session.request(method, url, data=body, headers=headers, timeout=TIMEOUT)

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            # The cloud may lie behind a proxy that the environment names; the local stack, without TLS, never does.
            self._local.session.trust_env = self.base_url.startswith("https:")
            self._local.session.headers.update(self._headers)
        session: requests.Session = self._local.session
        return session


def reason(error: BaseException) -> str:
    """The innermost cause, which is what a person can act on: `Connection refused`."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(getattr(error, "strerror", None) or error)
