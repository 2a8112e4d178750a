// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.apache.kafka.connect.sink.SinkConnector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class S3SinkConnectorTest {

    private static final Map<String, String> SOUND = Map.of("s3.bucket.name", "user-ab12-bucket", "flush.size", "500");

    private static Map<String, String> with(String name, String value) {
        Map<String, String> properties = new HashMap<>(SOUND);
        properties.put(name, value);
        return properties;
    }

    private static List<String> faults(Map<String, String> properties) {
        return new S3SinkConnector().validate(properties).configValues().stream()
            .flatMap(value -> value.errorMessages().stream().map(message -> value.name() + ": " + message)).toList();
    }

    @Test
    void theWorkerFindsTheConnectorByItsServiceEntry() {
        Stream<String> found = ServiceLoader.load(SinkConnector.class).stream().map(provider -> provider.type().getName());
        assertTrue(found.toList().contains(S3SinkConnector.class.getName()));
    }

    @Test
    void confluentsUsualConfigurationIsAccepted() {
        Map<String, String> usual = new HashMap<>(SOUND);
        usual.putAll(Map.ofEntries(
            Map.entry("s3.region", "us-east-1"), Map.entry("store.url", "http://localstack:4566"), Map.entry("topics.dir", "topics"),
            Map.entry("rotate.interval.ms", "2000"), Map.entry("rotate.schedule.interval.ms", "-1"),
            Map.entry("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
            Map.entry("partitioner.class", "io.confluent.connect.storage.partitioner.DefaultPartitioner"),
            Map.entry("storage.class", "io.confluent.connect.s3.storage.S3Storage"), Map.entry("schema.compatibility", "NONE"),
            Map.entry("behavior.on.null.values", "ignore"), Map.entry("aws.access.key.id", "id"), Map.entry("aws.secret.access.key", "s"),
            Map.entry("consumer.override.auto.offset.reset", "earliest"), Map.entry("s3.path.style.access.enabled", "true")));
        assertEquals(List.of(), faults(usual));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "flush.size | 0 | so give at least 1",
        "flush.size | many | Not a number",
        "flush.bytes | 0 | give 1 to 1073741824 bytes",
        "task.buffer.bytes | 0 | give at least 1 byte",
        "rotate.interval.ms | 0 | give a positive number of milliseconds, or -1 for none",
        "rotate.schedule.interval.ms | -2 | give a positive number of milliseconds, or -1 for none",
        "lake.check.interval.ms | 0 | give a positive number of milliseconds, or -1 for none",
        "s3.retry.backoff.ms | 0 | give at least 1 millisecond",
        "s3.bucket.name | Not_A_Bucket | a bucket's name has 3 to 63 lower-case letters",
        "store.url | localstack:4566 | give S3's address as http://host:port",
        "topics.dir | /topics/ | give a path without a slash at its ends",
        "behavior.on.null.values | write | this connector knows only ignore and fail",
        "format.class | io.confluent.connect.s3.format.avro.AvroFormat | knows only io.confluent.connect.s3.format.json.JsonFormat",
        "partitioner.class | io.confluent.connect.storage.partitioner.TimeBasedPartitioner | knows only io.confluent.connect.storage.partitioner.Def",
        "storage.class | io.confluent.connect.gcs.GcsStorage | knows only io.confluent.connect.s3.storage.S3Storage",
        "schema.compatibility | BACKWARD | this connector knows only NONE",
    })
    void anImpossibleValueIsRefusedWithASentence(String name, String value, String sentence) {
        List<String> faults = faults(with(name, value));
        assertEquals(1, faults.size(), faults.toString());
        assertTrue(faults.get(0).startsWith(name + ": Invalid value " + value), faults.toString());
        assertTrue(faults.get(0).contains(sentence), faults.toString());
    }

    @ParameterizedTest
    @CsvSource({"s3.bucket.name", "flush.size"})
    void aMissingValueIsNamed(String name) {
        Map<String, String> properties = new HashMap<>(SOUND);
        properties.remove(name);
        List<String> faults = faults(properties);
        assertEquals(1, faults.size(), faults.toString());
        assertTrue(faults.get(0).contains("Missing required configuration \"" + name + "\""), faults.toString());
    }

    @ParameterizedTest
    @CsvSource({"aws.access.key.id, aws.secret.access.key", "aws.secret.access.key, aws.access.key.id"})
    void halfAPairOfKeysIsRefusedAtTheOtherHalf(String given, String missing) {
        List<String> faults = faults(with(given, "x"));
        assertEquals(1, faults.size(), faults.toString());
        assertTrue(faults.get(0).startsWith(missing + ": Of aws.access.key.id and aws.secret.access.key only one is set"), faults.toString());
    }

    @Test
    void aConsumerThatCannotGoBackIsRefused() {
        List<String> faults = faults(with("consumer.override.auto.offset.reset", "latest"));
        assertEquals(1, faults.size(), faults.toString());
        assertTrue(faults.get(0).contains("could not be filled from the log's beginning"), faults.toString());
    }

    @Test
    void theSecretIsKeptOutOfWhatIsPrinted() {
        Map<String, String> properties = with("aws.secret.access.key", "s3cret");
        assertFalse(new S3SinkConfig(properties).values().toString().contains("s3cret"));
    }

    @Test
    void thereAreAsManyTasksAsAskedFor() {
        S3SinkConnector connector = new S3SinkConnector();
        connector.start(SOUND);
        assertEquals(List.of(SOUND, SOUND, SOUND), connector.taskConfigs(3));
        assertEquals(S3SinkTask.class, connector.taskClass());
    }
}
