// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.connect.errors.DataException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StrictJsonConverterTest {
    private final StrictJsonConverter converter = new StrictJsonConverter();

    @BeforeEach
    void configure() {
        converter.configure(Map.of("schemas.enable", "false"), false);
    }

    @Test
    void whatCanBeKeptIsKept() {
        assertEquals(
            Map.of("ind", Long.MAX_VALUE, "tags", List.of(-1L, Map.of()), "latitude", -12.5),
            read(" {\"ind\": 9223372036854775807, \"tags\": [-1, {}], \"latitude\": -12.5}\n"));
        assertEquals("text", read("\"text\""));
        assertEquals(Long.MIN_VALUE, read("-9223372036854775808"));
        assertEquals(1e30, read("1e30"));
    }

    @Test
    void aTombstoneIsOne() {
        assertNull(converter.toConnectData("t", null).value());
        assertNull(converter.toConnectData("t", new RecordHeaders(), null).value());
    }

    @ParameterizedTest
    @ValueSource(strings = {"18446744073709551623", "{\"ind\": -9223372036854775809}", "{\"a\": [[9223372036854775808]]}"})
    void anIntegerThatWouldBecomeAnotherIsRefused(String text) {
        assertTrue(refusal(text).contains("beyond 64 bits"), refusal(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{} {}", "1 2", "{\"ind\": 1} []", "\"a\" null"})
    void aSecondValueIsRefused(String text) {
        assertTrue(refusal(text).contains("more than one"), refusal(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " \n", "null"})
    void whatWouldPassForATombstoneIsRefused(String text) {
        assertTrue(refusal(text).contains("without a value"), refusal(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"ind\": 1} x", "{\"ind\": 1", "{\"ind\": 1}}", "NaN"})
    void whatIsNotJsonIsRefused(String text) {
        assertTrue(refusal(text).contains("not JSON"), refusal(text));
    }

    private Object read(String text) {
        return converter.toConnectData("t", new RecordHeaders(), text.getBytes(UTF_8)).value();
    }

    private String refusal(String text) {
        return assertThrows(DataException.class, () -> read(text)).getMessage();
    }
}
