// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.util.NavigableSet;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;

/**
 * What the sink needs of the store that it writes to.
 *
 * <p>Each call throws {@link org.apache.kafka.connect.errors.RetriableException} where asking again may help (no answer, throttled,
 * the bucket is missing), and {@link org.apache.kafka.connect.errors.ConnectException} where it cannot (access denied).
 */
interface Lake {

    /** First offsets of the partition's objects. What is not named like an object does not count. */
    NavigableSet<Long> firstOffsets(TopicPartition partition);

    /** Offset of an object's last record, or nothing where the object has vanished. */
    OptionalLong lastOffset(ObjectName name);

    boolean exists(ObjectName name);

    /** Upload an object unless its name is taken. Returns whether it was written; an object there is never changed. */
    boolean create(ObjectName name, ObjectBuffer buffer);
}
