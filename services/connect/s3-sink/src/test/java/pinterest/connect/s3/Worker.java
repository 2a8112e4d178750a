// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTaskContext;

/**
 * One task in a worker that treats it as Kafka Connect 4.3's WorkerSinkTask does: commit, rewind, poll, put; the same batch again after a
 * RetriableException. Time is a number here: a poll that finds nothing lets as much of it pass as the task allows.
 */
final class Worker implements SinkTaskContext {

    private static final int POLL_RECORDS = 7;
    private static final long COMMIT_INTERVAL_MS = 5_000;
    private static final int MANY_STEPS = 3_000;

    /** The consumer group's offsets, which survive a worker. */
    static final class Group extends HashMap<TopicPartition, Long> {
        private static final long serialVersionUID = 1L;
    }

    final List<RetriableException> failures = new ArrayList<>();
    private final KafkaLog log;
    private final Group group;
    private final S3SinkTask task = new S3SinkTask(this::now);
    private final Map<TopicPartition, Long> consumer = new LinkedHashMap<>();
    private final Map<TopicPartition, OffsetAndMetadata> current = new HashMap<>();
    private final Map<TopicPartition, OffsetAndMetadata> delivered = new HashMap<>();
    private final Map<TopicPartition, Long> rewinds = new HashMap<>();
    private final List<SinkRecord> batch = new ArrayList<>();
    private boolean paused;
    private boolean commitRequested;
    private long timeout = -1;
    private long now;
    private long horizon = Long.MAX_VALUE;
    private long commitAt = COMMIT_INTERVAL_MS;

    Worker(KafkaLog log, Group group, Map<String, String> config, TopicPartition... partitions) {
        this.log = log;
        this.group = group;
        task.initialize(this);
        task.start(config);
        for (TopicPartition partition : partitions) {
            move(partition, group.getOrDefault(partition, 0L));
        }
        task.open(List.of(partitions));
        rewind();
    }

    long now() {
        return now;
    }

    /** One round of the worker's loop. */
    void step() {
        if (commitRequested || now >= commitAt) {
            commit();
        }
        rewind();
        long wait = Math.min(horizon, timeout > 0 ? Math.min(now + timeout, commitAt) : commitAt) - now;
        timeout = -1;
        if (!paused) {
            consumer.keySet().forEach(this::poll);
        }
        if (paused || batch.isEmpty()) {
            now += Math.max(1, wait);
        }
        try {
            task.put(new ArrayList<>(batch));
        } catch (RetriableException e) {
            failures.add(e);
            paused = true;
            return;
        }
        current.putAll(delivered);
        delivered.clear();
        batch.clear();
        paused = false;
    }

    private void poll(TopicPartition partition) {
        int room = POLL_RECORDS;
        for (SinkRecord record : log.from(partition, consumer.get(partition)).values()) {
            if (room-- == 0) {
                return;
            }
            batch.add(record);
            consumer.put(partition, record.kafkaOffset() + 1);
            delivered.put(partition, new OffsetAndMetadata(record.kafkaOffset() + 1));
        }
        consumer.put(partition, log.end(partition));
        delivered.put(partition, new OffsetAndMetadata(log.end(partition)));
    }

    /** Go on until something has come about; a worker that never gets there is broken. */
    void until(BooleanSupplier done) {
        for (int i = 0; i < MANY_STEPS; i++) {
            if (done.getAsBoolean()) {
                return;
            }
            step();
        }
        throw new AssertionError("not reached in %d steps; last failure: %s".formatted(
            MANY_STEPS, failures.isEmpty() ? "none" : failures.get(failures.size() - 1).getMessage()));
    }

    /** Go on until everything was delivered and nothing waits for a repetition. */
    void drain() {
        until(() -> !paused && rewinds.isEmpty() && consumer.entrySet().stream().allMatch(e -> e.getValue() == log.end(e.getKey())));
    }

    /** Go on for so much time. */
    void pass(long ms) {
        horizon = now + ms;
        until(() -> now >= horizon);
        horizon = Long.MAX_VALUE;
    }

    void commit() {
        commitRequested = false;
        commitAt = now + COMMIT_INTERVAL_MS;
        task.preCommit(new HashMap<>(current)).forEach((partition, offset) -> {
            if (offset.offset() > current.get(partition).offset()) {
                throw new AssertionError("the task commits %d of %s, of which the worker knows nothing".formatted(offset.offset(), partition));
            }
            group.put(partition, offset.offset());
        });
    }

    /** An orderly end. Simply to drop a worker is the other kind. */
    void stop() {
        commit();
        task.close(consumer.keySet());
        task.stop();
    }

    private void rewind() {
        rewinds.forEach(this::move);
        rewinds.clear();
    }

    private void move(TopicPartition partition, long offset) {
        consumer.put(partition, offset);
        current.put(partition, new OffsetAndMetadata(offset));
    }

    @Override
    public Map<String, String> configs() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void offset(Map<TopicPartition, Long> offsets) {
        rewinds.putAll(offsets);
    }

    @Override
    public void offset(TopicPartition partition, long offset) {
        rewinds.put(partition, offset);
    }

    @Override
    public void timeout(long ms) {
        timeout = ms;
    }

    @Override
    public Set<TopicPartition> assignment() {
        return consumer.keySet();
    }

    @Override
    public void pause(TopicPartition... partitions) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void resume(TopicPartition... partitions) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void requestCommit() {
        commitRequested = true;
    }

    @Override
    public PluginMetrics pluginMetrics() {
        throw new UnsupportedOperationException();
    }
}
