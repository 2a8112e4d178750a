"""The contract of Kafka's REST proxy, whoever provides it. The suite speaks nothing but HTTP.

    pytest tests/contract --rest-proxy-url http://127.0.0.1:8082 --rest-proxy-topic <a topic of 3 partitions>

The URL may be the proxy's own, Confluent's, or API Gateway's with its path in front. Tests named `test_decided_…` hold what contract §4
decides and Confluent's proxy leaves open or does otherwise: `-k "not decided"` for a run against that one.
"""

import pytest

from tests.contract.proxy import Proxy


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rest-proxy-url", help="where the REST proxy answers; may end in a path, as API Gateway's does")
    parser.addoption("--rest-proxy-topic", help="an existing topic of 3 partitions, which the tests write to")


def _required(config: pytest.Config, option: str) -> str:
    value = config.getoption(option)
    if not value:
        pytest.fail(f"The contract tests need {option}: see {__file__}.", pytrace=False)
    return str(value)


@pytest.fixture(scope="session")
def proxy(pytestconfig: pytest.Config) -> Proxy:
    return Proxy(_required(pytestconfig, "--rest-proxy-url"))


@pytest.fixture(scope="session")
def topic(pytestconfig: pytest.Config) -> str:
    return _required(pytestconfig, "--rest-proxy-topic")
