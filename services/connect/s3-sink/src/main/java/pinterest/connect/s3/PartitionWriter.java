// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.util.Collections;
import java.util.NavigableSet;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.RetriableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition's way into the lake.
 *
 * <p>The lake alone says where to go on. Whenever it may differ from what this writer knows (at the start, when a name turns out to be
 * taken, when an object has vanished) the writer lists it anew, forgets its buffer, and has the log read again from the first
 * offset that is not there. Until that has happened it takes no record, since those at hand come from the old position.
 *
 * <p>Any method that asks the lake may throw what {@link Lake} throws. The writer is then as good as before: the same call, with the
 * same records, can be repeated.
 */
final class PartitionWriter {

    private static final Logger log = LoggerFactory.getLogger(PartitionWriter.class);
    private static final long UNKNOWN = -1;

    private final TopicPartition partition;
    private final Lake lake;
    private final RotationPolicy rotation;
    private final boolean heals;

    /** The first offset that is neither in the lake nor in the buffer. */
    private long next = UNKNOWN;
    private ObjectBuffer buffer;
    /** Two objects known to stand in the lake, by first offset: it has lost something when they are gone. */
    private Long oldest;
    private Long newest;
    /** Objects in the way of a writer that fills holes, by first offset. */
    private NavigableSet<Long> ahead = Collections.emptyNavigableSet();
    private boolean unsettled = true;
    private boolean rewinding;
    private boolean landed;

    /** @param heals whether to watch for objects that vanish; without it only an upload or a restart looks at the lake */
    PartitionWriter(TopicPartition partition, Lake lake, RotationPolicy rotation, boolean heals) {
        this.partition = partition;
        this.lake = lake;
        this.rotation = rotation;
        this.heals = heals;
    }

    /** Find out where to go on, if that is not known. Afterwards {@link #isRewinding()} says whether the log must be read again. */
    void settle() {
        if (!unsettled) {
            return;
        }
        NavigableSet<Long> present = lake.firstOffsets(partition);
        long from = resumeOffset(present);
        log.info("{}: the lake holds {} objects; going on at offset {}", partition, present.size(), from);
        oldest = present.isEmpty() ? null : present.first();
        newest = present.isEmpty() ? null : present.last();
        ahead = new TreeSet<>(present.tailSet(from, true));
        buffer = null;
        next = from;
        rewinding = true;
        unsettled = false;
    }

    private long resumeOffset(NavigableSet<Long> present) {
        if (next == UNKNOWN) {
            return present.isEmpty() ? 0 : offsetAfter(present.last());
        }
        if (oldest != null && !(present.contains(oldest) && present.contains(newest))) {
            log.warn("{}: objects have vanished from the lake; whatever it lacks is written again, from the log's beginning", partition);
            return 0;
        }
        return firstPending();
    }

    private long offsetAfter(long first) {
        return 1 + lake.lastOffset(name(first)).orElseThrow(
            () -> new RetriableException("%s vanished from the lake while it was being listed.".formatted(name(first))));
    }

    private void settleAnew() {
        unsettled = true;
        settle();
    }

    /** Whether a record is new to the lake and may be written now. */
    boolean wants(long offset) {
        return !rewinding && offset >= next;
    }

    /**
     * Take a record; upload whatever object that closes.
     *
     * @param line its value as JSON, without a line end
     * @param now monotonic clock, ms
     */
    void write(long offset, Long timestamp, byte[] line, long now) {
        passObjectAt(offset);
        if (buffer != null && wants(offset) && rotation.closesBefore(buffer, offset, timestamp, line.length)) {
            upload();
        }
        if (!wants(offset)) {
            return;
        }
        if (buffer == null) {
            buffer = new ObjectBuffer(offset, timestamp, now);
        }
        buffer.append(line, now);
        next = offset + 1;
        if (rotation.isFull(buffer)) {
            upload();
        }
    }

    /** Objects do not overlap, so of those that begin at or before an offset only the last can hold it. */
    private void passObjectAt(long offset) {
        Long first = ahead.floor(offset);
        if (first == null) {
            return;
        }
        OptionalLong last = lake.lastOffset(name(first));
        if (last.isEmpty()) {
            settleAnew();
            return;
        }
        ahead = ahead.tailSet(first, false);
        next = Math.max(next, last.getAsLong() + 1);
    }

    /** Upload what is complete or has waited long enough. */
    void uploadIfDue(long now) {
        if (buffer != null && (rotation.isFull(buffer) || now >= rotation.deadline(buffer))) {
            upload();
        }
    }

    /** Upload what there is. */
    void upload() {
        // An object behind which others are missing would hide the loss, so look before writing.
        if (heals && newest != null && !lake.exists(name(newest))) {
            settleAnew();
        } else if (lake.create(name(buffer.first()), buffer)) {
            newest = buffer.first();
            oldest = oldest == null ? newest : oldest;
            buffer = null;
            landed = true;
        } else {
            log.warn("{}: {} is in the lake already, written by another task or by a request whose answer was lost", partition,
                name(buffer.first()));
            settleAnew();
        }
    }

    /** Look whether the lake still holds what it held; go back where it does not. */
    void check() {
        if (oldest != null && !(lake.exists(name(oldest)) && lake.exists(name(newest)))) {
            settleAnew();
        }
    }

    boolean isRewinding() {
        return rewinding;
    }

    /** The worker has moved to {@link #next()}: the records to come are the ones that were asked for. */
    void rewound() {
        rewinding = false;
    }

    /** The offset to read from. */
    long next() {
        return next;
    }

    /** Whether something was uploaded since the last call. */
    boolean takeLanded() {
        boolean result = landed;
        landed = false;
        return result;
    }

    long bufferedBytes() {
        return buffer == null ? 0 : buffer.bytes();
    }

    /** Monotonic ms at which {@link #uploadIfDue} has something to do. */
    long deadline() {
        return buffer == null ? RotationPolicy.NEVER : rotation.deadline(buffer);
    }

    /**
     * The offset up to which everything is in the lake (or was no record for it), or nothing while that is unknown.
     *
     * @param position up to where the worker has delivered, which a pending rewind makes meaningless
     */
    OptionalLong committable(long position) {
        if (next == UNKNOWN) {
            return OptionalLong.empty();
        }
        boolean allWritten = buffer == null && !rewinding && !unsettled;
        return OptionalLong.of(allWritten ? position : Math.min(position, firstPending()));
    }

    private long firstPending() {
        return buffer == null ? next : buffer.first();
    }

    private ObjectName name(long first) {
        return new ObjectName(partition, first);
    }
}
