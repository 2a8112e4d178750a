"""`python -m rest_proxy.provision`: make the topics that `REST_PROXY_TOPICS` names, and end. Harmless where they stand.

The proxy itself never makes one: a topic's name in a request may be a typo (contract §4).
"""

import sys

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs do not re-export them
from pydantic import ValidationError

from rest_proxy import logs
from rest_proxy.kafka import client_options
from rest_proxy.settings import Settings, told

PARTITIONS = 3
TIMEOUT_S = 60


def main() -> int:
    """Exit code 0 if every topic stands, 1 with a sentence for each that does not."""
    logs.configure()
    try:
        settings = Settings()  # type: ignore[call-arg]  # the fields come from the environment
    except ValidationError as error:
        print(told(error), file=sys.stderr)
        return 1
    admin = AdminClient(client_options(settings))
    # Copies as many as the broker makes by default: one on a laptop, three on MSK.
    topics = [NewTopic(name, num_partitions=PARTITIONS, replication_factor=-1) for name in settings.topics]
    failed = 0
    for name, made in admin.create_topics(topics, request_timeout=TIMEOUT_S).items():
        try:
            made.result()
            print(f"{name}: made, with {PARTITIONS} partitions.")
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                print(f"{name}: stands.")
            else:
                failed = 1
                print(f"{name} was not made: {error.args[0].str()}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
