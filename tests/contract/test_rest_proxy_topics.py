"""What there is: topics, their partitions, their offsets."""

from tests.contract.proxy import Proxy


def test_the_list_names_the_topic(proxy: Proxy, topic: str) -> None:
    assert topic in proxy.get("/topics").json()


def test_a_topic(proxy: Proxy, topic: str) -> None:
    description = proxy.get(f"/topics/{topic}").json()
    assert description["name"] == topic
    assert "retention.ms" in description["configs"]
    assert [partition["partition"] for partition in description["partitions"]] == [0, 1, 2]


def test_its_partitions(proxy: Proxy, topic: str) -> None:
    partitions = proxy.get(f"/topics/{topic}/partitions").json()
    assert [partition["partition"] for partition in partitions] == [0, 1, 2]
    for partition in partitions:
        leaders = [replica for replica in partition["replicas"] if replica["leader"]]
        assert [leader["broker"] for leader in leaders] == [partition["leader"]]
        assert leaders[0]["in_sync"] is True
        assert proxy.get(f"/topics/{topic}/partitions/{partition['partition']}").json() == partition


def test_a_partitions_offsets(proxy: Proxy, topic: str) -> None:
    [(_, offset)] = proxy.produce(topic, {"value": 1, "partition": 2})
    offsets = proxy.get(f"/topics/{topic}/partitions/2/offsets").json()
    assert offsets["end_offset"] == offset + 1
    assert 0 <= offsets["beginning_offset"] <= offset


def test_decided_a_health_check(proxy: Proxy) -> None:
    assert proxy.get("/healthz").status_code == 200
