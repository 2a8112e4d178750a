// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Between the worker and the partitions' writers: records in, seeks, commits and timers out.
 *
 * <p>What it relies on in the worker (Kafka Connect 4.3): a put() that throws RetriableException is repeated with the same records, and
 * no partition is read meanwhile; a seek asked for by {@code context.offset} is made before the next poll; {@code context.timeout}
 * bounds the next poll, so that put() is called on time though no record comes.
 */
public final class S3SinkTask extends SinkTask {

    private static final Logger log = LoggerFactory.getLogger(S3SinkTask.class);
    private static final long LONGEST_BACKOFF_MS = 5_000;

    private final LongSupplier clock;
    private final JsonConverter json = new JsonConverter();
    private final Map<TopicPartition, PartitionWriter> writers = new LinkedHashMap<>();
    private S3SinkConfig config;
    private S3Lake lake;
    private RotationPolicy rotation;
    private Optional<Long> lakeCheckMs = Optional.empty();
    private long checkAt;
    private boolean repeating;
    private int failures;

    /** Called by the worker. */
    public S3SinkTask() {
        this(() -> System.nanoTime() / 1_000_000);
    }

    /** @param clock monotonic milliseconds */
    S3SinkTask(LongSupplier clock) {
        this.clock = clock;
    }

    @Override
    public String version() {
        return S3SinkConnector.currentVersion();
    }

    @Override
    public void start(Map<String, String> properties) {
        config = new S3SinkConfig(properties);
        json.configure(Map.of("schemas.enable", "false"), false);
        rotation = config.rotation();
        lakeCheckMs = config.lakeCheckMs();
        checkAt = lakeCheckMs.map(ms -> clock.getAsLong() + ms).orElse(RotationPolicy.NEVER);
        lake = new S3Lake(config);
    }

    /** Never fails for want of an answer: the worker would give the task up. The next put() asks again. */
    @Override
    public void open(Collection<TopicPartition> partitions) {
        partitions.forEach(p -> writers.put(p, new PartitionWriter(p, lake, rotation, lakeCheckMs.isPresent())));
        try {
            settle();
        } catch (RetriableException e) {
            log.warn("{} It will be asked again before any record is taken.", e.getMessage());
            context.timeout(backoff());
        }
        askForRewinds();
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        if (!repeating) {
            writers.values().forEach(PartitionWriter::rewound);
        }
        repeating = true;
        try {
            settle();
            checkLake();
            records.forEach(this::write);
            writers.values().forEach(writer -> writer.uploadIfDue(clock.getAsLong()));
        } catch (RetriableException e) {
            context.timeout(backoff());
            failures++;
            throw e;
        }
        repeating = false;
        failures = 0;
        // Only now: the worker would drop a rewind's effect, and deliver old records after it, were this put() to be repeated.
        askForRewinds();
        context.timeout(untilDue());
        if (writers.values().stream().map(PartitionWriter::takeLanded).reduce(false, Boolean::logicalOr)) {
            context.requestCommit();
        }
    }

    private void settle() {
        writers.values().forEach(PartitionWriter::settle);
    }

    private void checkLake() {
        if (clock.getAsLong() >= checkAt) {
            writers.values().forEach(PartitionWriter::check);
            checkAt = clock.getAsLong() + lakeCheckMs.orElseThrow();
        }
    }

    private void write(SinkRecord record) {
        // A transformation may have renamed the topic; the offsets are those of the partition that was read.
        TopicPartition partition = new TopicPartition(record.originalTopic(), record.originalKafkaPartition());
        PartitionWriter writer = writers.get(partition);
        // The worker forgets the records of a partition that was taken away, but not where a transformation renamed their topic.
        if (writer == null || !writer.wants(record.originalKafkaOffset())) {
            return;
        }
        if (record.value() == null) {
            refuseNull(record);
            return;
        }
        byte[] line = json.fromConnectData(record.topic(), record.valueSchema(), record.value());
        writer.write(record.originalKafkaOffset(), record.timestamp(), line, clock.getAsLong());
        while (writers.values().stream().mapToLong(PartitionWriter::bufferedBytes).sum() > config.bufferBytes()) {
            writers.values().stream().max(Comparator.comparingLong(PartitionWriter::bufferedBytes)).orElseThrow().upload();
        }
    }

    private void refuseNull(SinkRecord record) {
        if (config.failsOnNull()) {
            throw new ConnectException(("The record at offset %d of %s-%d has no value, and %s is %s: set it to %s to leave such "
                + "records out of the lake.").formatted(record.originalKafkaOffset(), record.originalTopic(), record.originalKafkaPartition(),
                S3SinkConfig.NULL_VALUES, S3SinkConfig.FAIL, S3SinkConfig.IGNORE));
        }
    }

    private void askForRewinds() {
        writers.forEach((partition, writer) -> {
            if (writer.isRewinding()) {
                context.offset(partition, writer.next());
            }
        });
    }

    private long backoff() {
        return Math.min(LONGEST_BACKOFF_MS, config.retryBackoffMs() << Math.min(failures, 16));
    }

    private long untilDue() {
        long due = writers.values().stream().mapToLong(PartitionWriter::deadline).reduce(checkAt, Math::min);
        return due == RotationPolicy.NEVER ? -1 : Math.max(1, due - clock.getAsLong());
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> preCommit(Map<TopicPartition, OffsetAndMetadata> positions) {
        Map<TopicPartition, OffsetAndMetadata> safe = new HashMap<>();
        positions.forEach((partition, position) -> {
            PartitionWriter writer = writers.get(partition);
            if (writer != null) {
                writer.committable(position.offset()).ifPresent(offset -> safe.put(partition, new OffsetAndMetadata(offset)));
            }
        });
        return safe;
    }

    /** What is buffered is dropped: whoever opens the partition next resumes after what the lake holds. */
    @Override
    public void close(Collection<TopicPartition> partitions) {
        partitions.forEach(writers::remove);
    }

    @Override
    public void stop() {
        if (lake != null) {
            lake.close();
        }
    }
}
