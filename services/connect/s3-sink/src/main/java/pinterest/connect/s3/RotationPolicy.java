// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

/**
 * When an object is closed. Any of the bounds may do it, in any combination, because what has landed is read from the lake and not
 * inferred from the bounds (design decision 2).
 *
 * @param records most records in an object ({@code flush.size})
 * @param bytes most bytes in an object, unless one record alone is larger ({@code flush.bytes})
 * @param intervalMs span of record time in an object, and how long an idle one stays open; -1 for no bound
 * @param scheduleMs wall clock time that an object stays open; -1 for no bound
 */
record RotationPolicy(int records, long bytes, long intervalMs, long scheduleMs) {

    static final long NEVER = Long.MAX_VALUE;

    boolean isFull(ObjectBuffer buffer) {
        return buffer.count() >= records || buffer.bytes() >= bytes;
    }

    /** Whether an object must be closed before the next record may be written. */
    boolean closesBefore(ObjectBuffer buffer, long offset, Long timestamp, int lineBytes) {
        return offset != buffer.next()
            || isFull(buffer)
            || buffer.bytes() + lineBytes + 1 > bytes
            || spansInterval(buffer.firstTimestamp(), timestamp);
    }

    /** The monotonic time, ms, at which an object is closed though no record comes. */
    long deadline(ObjectBuffer buffer) {
        long idle = intervalMs < 0 ? NEVER : buffer.touchedAt() + intervalMs;
        long scheduled = scheduleMs < 0 ? NEVER : buffer.openedAt() + scheduleMs;
        return Math.min(idle, scheduled);
    }

    private boolean spansInterval(Long first, Long timestamp) {
        return intervalMs >= 0 && first != null && timestamp != null && timestamp - first >= intervalMs;
    }
}
