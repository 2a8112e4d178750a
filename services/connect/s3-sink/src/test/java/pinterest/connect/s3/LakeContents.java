// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicPartition;

/** Reads the lake as a consumer of contract §5 does, which knows nothing of the sink's own classes. */
final class LakeContents {

    private static final Pattern KEY = Pattern.compile("topics/([^/]+)/partition=(\\d+)/\\1\\+\\2\\+(\\d{10})\\.json");

    private static final ObjectMapper JSON = new ObjectMapper();

    private LakeContents() {}

    /** Lines by offset. Fails where an object breaks the contract, or two hold the same offset. */
    static Map<TopicPartition, NavigableMap<Long, String>> read(LocalS3 s3) {
        Map<TopicPartition, NavigableMap<Long, String>> lines = new HashMap<>();
        s3.objects().forEach((key, object) -> {
            Matcher name = KEY.matcher(key);
            assertTrue(name.matches(), key);
            TopicPartition partition = new TopicPartition(name.group(1), Integer.parseInt(name.group(2)));
            long first = Long.parseLong(name.group(3));
            assertTrue(object.text().endsWith("\n"), key + " lacks its last line end");
            List<String> values = List.of(object.text().split("\n"));
            assertEquals(Map.of("first-offset", "" + first, "last-offset", "" + (first + values.size() - 1),
                "record-count", "" + values.size()), object.metadata(), key);
            assertEquals("application/json", object.contentType(), key);
            for (int i = 0; i < values.size(); i++) {
                assertNull(lines.computeIfAbsent(partition, p -> new TreeMap<>()).put(first + i, values.get(i)),
                    "offset %d of %s is in the lake twice".formatted(first + i, partition));
            }
        });
        return lines;
    }

    static boolean isComplete(LocalS3 s3, KafkaLog log) {
        return parsed(read(s3)).equals(parsed(log.expected()));
    }

    /** Equal as JSON: the converter escapes what it likes, and orders the fields as it likes. */
    private static Map<TopicPartition, Map<Long, JsonNode>> parsed(Map<TopicPartition, NavigableMap<Long, String>> lines) {
        Map<TopicPartition, Map<Long, JsonNode>> values = new HashMap<>();
        lines.forEach((partition, texts) -> texts.forEach((offset, text) ->
            values.computeIfAbsent(partition, p -> new HashMap<>()).put(offset, parse(text))));
        return values;
    }

    private static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }
}
