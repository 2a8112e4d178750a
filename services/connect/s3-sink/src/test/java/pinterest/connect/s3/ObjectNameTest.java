// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ObjectNameTest {

    private static final TopicPartition PIN = new TopicPartition("ab12.pin", 1);

    @Test
    void aNameIsTheContracts() {
        assertEquals("topics/ab12.pin/partition=1/ab12.pin+1+0000000500.json", new ObjectName(PIN, 500).key("topics"));
    }

    @Test
    void anOffsetBeyondTenDigitsKeepsThemAll() {
        String key = new ObjectName(PIN, 12_345_678_901L).key("topics");
        assertTrue(key.endsWith("+12345678901.json"), key);
        assertEquals(OptionalLong.of(12_345_678_901L), ObjectName.firstOffset("topics", PIN, key));
    }

    @Test
    void aNameGivesItsOffsetBack() {
        assertEquals(OptionalLong.of(500), ObjectName.firstOffset("a/b", PIN, new ObjectName(PIN, 500).key("a/b")));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "topics/ab12.pin/partition=1/",
        "topics/ab12.pin/partition=1/_SUCCESS",
        "topics/ab12.pin/partition=1/ab12.pin+1+500.json",
        "topics/ab12.pin/partition=1/ab12.pin+1+0000000500.json.tmp",
        "topics/ab12.pin/partition=1/ab12.pin+2+0000000500.json",
        "topics/ab12.pin/partition=1/ab12.geo+1+0000000500.json",
        "topics/ab12.pin/partition=1/sub/ab12.pin+1+0000000500.json",
        "topics/ab12.pin/partition=10/ab12.pin+10+0000000500.json",
        "topics/ab12.pin/partition=1/ab12.pin+1+99999999999999999999.json",
    })
    void whatIsNamedOtherwiseIsNoObject(String key) {
        assertEquals(OptionalLong.empty(), ObjectName.firstOffset("topics", PIN, key));
    }
}
