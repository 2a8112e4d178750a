import socket
import time

import pytest

from emulator.errors import UnavailableError
from emulator.http import Answer, Http
from tests.unit.emulator.far_side import FarSide

BODY = {"records": [{"key": 1, "value": {"title": "Идея 🎄"}}]}


def post(http: Http) -> Answer:
    return http.send("POST", "/topics/t", BODY, "application/vnd.kafka.json.v2+json")


def test_the_body_arrives_as_it_was_sent(far_side: FarSide) -> None:
    assert post(Http(far_side.url + "/")).status == 200
    assert far_side.requests == [("POST", "/topics/t", BODY)]
    assert far_side.content_types == {"application/vnd.kafka.json.v2+json"}


def test_a_dropped_connection_is_tried_again_at_once_and_once(far_side: FarSide) -> None:
    http = Http(far_side.url)
    far_side.faults = ["drop"]
    assert post(http).status == 200
    assert len(far_side.requests) == 2
    far_side.faults = ["drop", "drop"]
    with pytest.raises(UnavailableError, match="does not answer"):
        post(http)
    assert len(far_side.requests) == 4


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_asks_to_come_again_is_unavailable(far_side: FarSide, status: int) -> None:
    far_side.faults = [(status, "queue is full")]
    with pytest.raises(UnavailableError, match=f"POST /topics/t was answered {status}: queue is full"):
        post(Http(far_side.url))
    assert len(far_side.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 415, 422])
def test_a_4xx_is_an_answer(far_side: FarSide, status: int) -> None:
    far_side.faults = [(status, {"error_code": 1})]
    assert post(Http(far_side.url, clock=lambda: 1.5)) == Answer(status, '{"error_code": 1}', 1.5)


def test_nobody_there_says_why() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UnavailableError, match=rf"{url} does not answer \(Connection refused\)"):
            post(Http(url))


def test_the_local_stack_is_never_behind_a_proxy(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert post(Http(far_side.url)).status == 200


@pytest.mark.parametrize("body", ["<html>", "[]", ""])
def test_a_body_that_is_no_object_counts_as_empty(body: str) -> None:
    assert Answer(200, body, 0).json == {}


def test_an_answer_has_the_time_at_which_it_came(far_side: FarSide) -> None:
    answered: list[float] = []
    far_side.on_request = lambda number: answered.append(time.time())
    answer = post(Http(far_side.url))
    assert answered[0] <= answer.at <= time.time()


def test_the_clock_is_read_once_and_after_the_answer(far_side: FarSide) -> None:
    asked: list[int] = []

    def clock() -> float:
        asked.append(len(far_side.requests))
        return 1.5

    http = Http(far_side.url, clock)
    assert [post(http).at, post(http).at] == [1.5, 1.5]
    assert asked == [1, 2]
