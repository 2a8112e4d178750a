// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.io.ByteArrayOutputStream;

/** The lines of an object that has not been uploaded yet. Its offsets are contiguous: line i holds offset first + i. */
final class ObjectBuffer {

    private final ByteArrayOutputStream lines = new ByteArrayOutputStream();
    private final long first;
    private final Long firstTimestamp;
    private final long openedAt;
    private long touchedAt;
    private int count;

    /**
     * @param first Kafka offset of the record that opens the object
     * @param timestamp that record's time, ms since the epoch; null where it has none
     * @param now this process's monotonic clock, ms
     */
    ObjectBuffer(long first, Long timestamp, long now) {
        this.first = first;
        this.firstTimestamp = timestamp;
        this.openedAt = now;
        this.touchedAt = now;
    }

    void append(byte[] line, long now) {
        lines.writeBytes(line);
        lines.write('\n');
        count++;
        touchedAt = now;
    }

    long first() {
        return first;
    }

    /** The only offset that may be appended next. */
    long next() {
        return first + count;
    }

    int count() {
        return count;
    }

    long bytes() {
        return lines.size();
    }

    byte[] content() {
        return lines.toByteArray();
    }

    Long firstTimestamp() {
        return firstTimestamp;
    }

    long openedAt() {
        return openedAt;
    }

    long touchedAt() {
        return touchedAt;
    }
}
