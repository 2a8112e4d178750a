"""The user posting emulator: reads posts from MySQL and sends them to Kafka and Kinesis (contract §2)."""
