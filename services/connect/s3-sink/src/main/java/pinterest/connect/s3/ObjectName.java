// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicPartition;

/**
 * An object's name: which partition's records it holds, and from which offset (contract §5).
 *
 * @param first Kafka offset of the object's first line
 */
record ObjectName(TopicPartition partition, long first) {

    /** Ten digits keep names in the order of their offsets; an offset beyond them has more, so compare numbers, not names. */
    private static final Pattern FILE = Pattern.compile("(?<log>.+)\\+(?<first>\\d{10,18})\\.json");

    /** {@code topics/<topic>/partition=<n>/}: where one partition's objects stand, and nothing else. */
    static String folder(String topicsDir, TopicPartition partition) {
        return "%s/%s/partition=%d/".formatted(topicsDir, partition.topic(), partition.partition());
    }

    String key(String topicsDir) {
        return "%s%s+%010d.json".formatted(folder(topicsDir, partition), log(partition), first);
    }

    /** The first offset that a key names, or nothing where the key is no object of this partition. */
    static OptionalLong firstOffset(String topicsDir, TopicPartition partition, String key) {
        String folder = folder(topicsDir, partition);
        Matcher file = FILE.matcher(key.startsWith(folder) ? key.substring(folder.length()) : "");
        return file.matches() && file.group("log").equals(log(partition))
            ? OptionalLong.of(Long.parseLong(file.group("first")))
            : OptionalLong.empty();
    }

    private static String log(TopicPartition partition) {
        return partition.topic() + "+" + partition.partition();
    }

    @Override
    public String toString() {
        return "%s+%010d".formatted(log(partition), first);
    }
}
