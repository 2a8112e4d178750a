"""What only AWS has, against a stand-in that answers as its API is documented: MWAA's login, and MSK Connect's states."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from settings import Settings
from stack import connector
from stack.airflow import Airflow, AirflowError

HOST = "12345-vpce.c1.eu-west-1.airflow.amazonaws.com"


class StandIn:
    """AWS' API and the environment's web server at one address."""

    def __init__(self) -> None:
        self.connectors: list[dict[str, str]] = []
        self.seen: list[str] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                url = urlsplit(self.path)
                stand_in.seen.append(f"{self.command} {self.path}")
                status, cookie, answer = 404, "", {}
                match self.command, url.path:
                    case "POST", "/webtoken/pinterest-abc":
                        assert "AWS4-HMAC-SHA256" in self.headers["Authorization"]
                        status, answer = 200, {"WebToken": "a-login", "WebServerHostname": HOST}
                    case "POST", "/pluginsv2/aws_mwaa/login" if parse_qs(body) == {"token": ["a-login"]}:
                        status, cookie = 200, "_token=a-token; Secure; HttpOnly"
                    case "GET", "/api/v2/dags/abc_dag" if self.headers["Authorization"] == "Bearer a-token":
                        status, answer = 200, {"is_paused": False, "is_stale": False, "has_import_errors": False}
                    case "GET", "/v1/connectors":
                        prefix = parse_qs(url.query)["connectorNamePrefix"][0]
                        found = [one for one in stand_in.connectors if one["connectorName"].startswith(prefix)]
                        status, answer = 200, {"connectors": found}
                text = json.dumps(answer).encode()
                self.send_response(status)
                if cookie:
                    self.send_header("Set-Cookie", cookie)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = _answer  # noqa: N815  # http.server's own names

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


class ToStandIn(HTTPAdapter):
    """Brings what is meant for the environment's host to the stand-in."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        assert request.url
        assert request.url.startswith(f"https://{HOST}/"), request.url
        request.url = request.url.replace(f"https://{HOST}", self._url)
        return super().send(request, *arguments, **options)


@pytest.fixture
def aws() -> Iterator[StandIn]:
    stand_in = StandIn()
    yield stand_in
    stand_in.server.shutdown()
    stand_in.server.server_close()


@pytest.fixture
def settings(aws: StandIn, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    # AWS' own name for MWAA's API has a part before the service's, which the stand-in has no name for.
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
    return Settings(user_id="abc", aws_endpoint_url=aws.url, mwaa_environment="pinterest-abc")


def test_the_login_is_aws_own_and_names_the_host(aws: StandIn, settings: Settings) -> None:
    airflow = Airflow(settings)
    airflow._session.mount("https://", ToStandIn(aws.url))
    airflow.wait_for_dag(seconds=1)
    assert aws.seen == ["POST /webtoken/pinterest-abc", "POST /pluginsv2/aws_mwaa/login", "GET /api/v2/dags/abc_dag"]
    assert airflow.page("r").startswith(f"https://{HOST}/")


def test_an_environment_that_is_not_there_is_named(settings: Settings) -> None:
    other = settings.model_copy(update={"mwaa_environment": "pinterest-xyz"})
    with pytest.raises(AirflowError, match="AWS gives no login to the MWAA environment pinterest-xyz"):
        Airflow(other).wait_for_dag(seconds=1)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ({}, "not deployed: make deploy"),
        ({"pinterest-abc-1": "RUNNING", "pinterest-xyz-1": "FAILED"}, "RUNNING"),
        ({"pinterest-abc-1": "RUNNING", "pinterest-abc-2": "CREATING"}, "pinterest-abc-2 CREATING"),
    ],
)
def test_the_sink_is_as_msk_connect_says(aws: StandIn, settings: Settings, states: dict[str, str], told: str) -> None:
    aws.connectors = [{"connectorName": name, "connectorState": state} for name, state in states.items()]
    assert connector.state(settings) == told
