"""The original batch emulator is served unchanged, and whoever sent a post finds it again by the consumer calls."""

import time
from datetime import datetime
from itertools import islice
from typing import Any

from tests.classic_clients import DATE_FORMS, PATIENCE_S, Reader, indices, post_to_kafka
from tests.contract.proxy import Proxy, acknowledged


def test_the_posts_are_the_contracts() -> None:
    assert list(islice(indices(), 4)) == [7528, 2863, 5730, 8304]


def test_its_own_posts_are_read_back_where_base_uri_leads(proxy: Proxy, topic: str) -> None:
    group = proxy.group_at_the_end(topic)
    joined = datetime(2015, 10, 24, 11, 23, 51)
    texts = {"2015-10-24T11:23:51", "2015-10-24 11:23:51", "2015:10:24 11:23:51"}
    sent: dict[tuple[int, int], dict[str, Any]] = {}
    for index, dates in zip(indices(), DATE_FORMS.values(), strict=False):
        row = {"ind": index, "first_name": "Abigail", "last_name": "Ali", "age": 20, "date_joined": joined}
        [place] = acknowledged(post_to_kafka(proxy.url, topic, row, dates), 1)
        sent[place] = row | {"date_joined": dates(joined)}
    assert {row["date_joined"] for row in sent.values()} == texts

    found: dict[tuple[int, int], dict[str, Any]] = {}
    reader = Reader(proxy.url, group)
    try:
        reader.subscribe(topic)
        deadline = time.monotonic() + PATIENCE_S
        while sent.keys() - found.keys():
            assert time.monotonic() < deadline, f"{sent.keys() - found.keys()} never came"
            found |= {(record["partition"], record["offset"]): record for record in reader.records()}
    finally:
        reader.delete()
    assert {place: found[place]["value"] for place in sent} == sent
    assert {found[place]["key"] for place in sent} == {None}
