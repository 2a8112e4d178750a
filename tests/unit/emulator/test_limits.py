from emulator.limits import MAX_RECORD_BYTES, MAX_RECORDS, MAX_REQUEST_BYTES, Plan, plan
from emulator.records import Record


def numbered(number: int) -> list[Record]:
    return [Record(index, {}) for index in range(number)]


def sizes(requests: list[list[Record]]) -> list[int]:
    return [len(request) for request in requests]


def test_nothing_is_no_request() -> None:
    assert plan("s", [], lambda _: 1) == Plan([], {})


def test_what_fits_is_one_request_in_order() -> None:
    records = numbered(MAX_RECORDS)
    assert plan("s", records, lambda _: 1) == Plan([records], {})


def test_no_request_holds_more_than_500_records() -> None:
    records = numbered(1001)
    requests = plan("s", records, lambda _: 1).requests
    assert sizes(requests) == [500, 500, 1]
    assert [record for request in requests for record in request] == records


def test_no_request_holds_more_than_5_mb() -> None:
    assert MAX_REQUEST_BYTES == 5 * MAX_RECORD_BYTES
    assert sizes(plan("s", numbered(11), lambda _: MAX_RECORD_BYTES).requests) == [5, 5, 1]
    assert sizes(plan("s", numbered(11), lambda _: MAX_RECORD_BYTES - 1).requests) == [5, 5, 1]
    assert sizes(plan("s", numbered(11), lambda _: MAX_RECORD_BYTES // 2).requests) == [10, 1]


def test_a_record_over_1_mb_is_sorted_out_and_the_rest_goes_on() -> None:
    large = MAX_RECORD_BYTES + 1
    records = [*numbered(3), Record(1, {})]
    requests, refused = plan("s", records, lambda one: large if one.index == 1 else MAX_RECORD_BYTES)
    assert requests == [[records[0], records[2]]]
    assert refused == {"s: post 1 was not sent: its 1,048,577 bytes exceed 1,048,576.": 2}
