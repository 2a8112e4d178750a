"""What a consumer may be asked for."""

import msgspec
import pytest
from rest_proxy.consumers import CreateRequest, check_config
from rest_proxy.errors import InvalidConsumerConfigError
from rest_proxy.media import Format


def config(**request: object) -> CreateRequest:
    return msgspec.convert({name.replace("_", "."): value for name, value in request.items()}, CreateRequest)


def test_confluents_defaults() -> None:
    checked = check_config(config())
    assert checked.name.startswith("rest-consumer-")
    assert checked[1:] == (Format.BINARY, "latest", True, -1, None)


def test_everything_set() -> None:
    asked = config(name="n", format="json", auto_offset_reset="earliest", auto_commit_enable="false", fetch_min_bytes=1)
    assert check_config(asked) == ("n", Format.JSON, "earliest", False, 1, None)


def test_the_older_word_for_the_name_wins() -> None:
    assert check_config(config(id="i", name="n")).name == "i"


@pytest.mark.parametrize(
    "request_",
    [
        {"name": "a/b"},
        {"name": "a\nb"},
        {"name": "a" * 256},
        {"format": "avro"},
        {"auto_offset_reset": "smallest"},
        {"auto_commit_enable": "yes"},
    ],
)
def test_what_a_consumer_cannot_have(request_: dict[str, object]) -> None:
    with pytest.raises(InvalidConsumerConfigError):
        check_config(config(**request_))
