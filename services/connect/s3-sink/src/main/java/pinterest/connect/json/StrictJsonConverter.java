// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * Kafka's {@link JsonConverter}, which refuses what that one would alter or lose: an integer beyond 64 bits, of which it keeps the
 * lowest 64 (so that 18446744073709551623 becomes 7, another post's index); whatever stands behind the JSON value, which it
 * drops; and a value that is empty, blank or JSON's {@code null}, which it takes for a tombstone.
 *
 * <p>What is refused is a {@link DataException}, which Connect puts into the dead-letter topic.
 */
public final class StrictJsonConverter extends JsonConverter {
    private final JsonFactory json = new JsonFactory();

    @Override
    public SchemaAndValue toConnectData(String topic, byte[] value) {
        if (value != null) {
            check(value);
        }
        return super.toConnectData(topic, value);
    }

    @Override
    public SchemaAndValue toConnectData(String topic, Headers headers, byte[] value) {
        return toConnectData(topic, value);
    }

    private void check(byte[] value) {
        try (JsonParser parser = json.createParser(value)) {
            int depth = 0;
            int values = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token == JsonToken.VALUE_NUMBER_INT && parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
                    throw new DataException("The record holds an integer beyond 64 bits at column " + parser.currentTokenLocation().getColumnNr()
                        + ", of which Connect would keep the lowest 64.");
                }
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                if (depth == 0 && ++values > 1) {
                    throw new DataException("The record holds more than one JSON value, of which Connect would keep the first.");
                }
                if (token == JsonToken.VALUE_NULL && depth == 0) {
                    throw new DataException("The record is JSON's null, which Connect would take for a record without a value.");
                }
            }
            if (values == 0) {
                throw new DataException("The record is empty, which Connect would take for a record without a value.");
            }
        } catch (IOException e) {
            throw new DataException("The record is not JSON: " + e.getMessage(), e);
        }
    }
}
