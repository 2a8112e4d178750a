// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;

/** Topics with their offsets, and what of them belongs into the lake. */
final class KafkaLog {

    private final JsonConverter converter = new JsonConverter();
    private final Map<TopicPartition, NavigableMap<Long, SinkRecord>> records = new HashMap<>();
    private final Map<TopicPartition, Long> ends = new HashMap<>();
    private final Map<TopicPartition, NavigableMap<Long, String>> expected = new HashMap<>();

    KafkaLog() {
        converter.configure(Map.of("schemas.enable", "false"), false);
    }

    /** Append a JSON value, as Connect's converter would hand it over. */
    void append(TopicPartition partition, String json, Long timestamp) {
        SchemaAndValue value = converter.toConnectData(partition.topic(), json == null ? null : json.getBytes(StandardCharsets.UTF_8));
        long offset = end(partition);
        at(records, partition).put(offset, new SinkRecord(partition.topic(), partition.partition(), null, null, value.schema(),
            value.value(), offset, timestamp, TimestampType.CREATE_TIME));
        if (value.value() != null) {
            at(expected, partition).put(offset, json);
        }
        skip(partition);
    }

    void append(TopicPartition partition, String json) {
        append(partition, json, 0L);
    }

    void appendNumbers(TopicPartition partition, int count) {
        for (int i = 0; i < count; i++) {
            append(partition, "{\"n\":" + end(partition) + "}");
        }
    }

    void appendTombstone(TopicPartition partition) {
        append(partition, null);
    }

    /** An offset that no record reaches the task from: dead-lettered, compacted away, or a transaction's mark. */
    void skip(TopicPartition partition) {
        ends.merge(partition, 1L, Long::sum);
    }

    /** Retention: the log forgets what is before an offset; the lake need not. */
    void trim(TopicPartition partition, long start) {
        at(records, partition).headMap(start, false).clear();
    }

    long end(TopicPartition partition) {
        return ends.getOrDefault(partition, 0L);
    }

    NavigableMap<Long, SinkRecord> from(TopicPartition partition, long offset) {
        return at(records, partition).tailMap(offset, true);
    }

    /** JSON by offset: exactly what the lake must hold in the end. */
    Map<TopicPartition, NavigableMap<Long, String>> expected() {
        return expected;
    }

    private static <V> NavigableMap<Long, V> at(Map<TopicPartition, NavigableMap<Long, V>> maps, TopicPartition partition) {
        return maps.computeIfAbsent(partition, p -> new TreeMap<>());
    }
}
