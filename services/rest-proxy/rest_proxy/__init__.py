"""A Kafka REST proxy, wire-compatible with Confluent REST Proxy v2 (contract §4)."""
