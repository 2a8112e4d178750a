// SPDX-License-Identifier: GPL-3.0-or-later
package pinterest.connect.s3;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;

/** The connector's properties, under Confluent's names where Confluent has one. */
final class S3SinkConfig extends AbstractConfig {

    static final String BUCKET = "s3.bucket.name";
    static final String REGION = "s3.region";
    static final String STORE_URL = "store.url";
    static final String PATH_STYLE = "s3.path.style.access.enabled";
    static final String ACCESS_KEY_ID = "aws.access.key.id";
    static final String SECRET_ACCESS_KEY = "aws.secret.access.key";
    static final String RETRY_BACKOFF = "s3.retry.backoff.ms";
    static final String TOPICS_DIR = "topics.dir";
    static final String FLUSH_SIZE = "flush.size";
    static final String FLUSH_BYTES = "flush.bytes";
    static final String BUFFER_BYTES = "task.buffer.bytes";
    static final String ROTATE_INTERVAL = "rotate.interval.ms";
    static final String ROTATE_SCHEDULE_INTERVAL = "rotate.schedule.interval.ms";
    static final String LAKE_CHECK_INTERVAL = "lake.check.interval.ms";
    static final String NULL_VALUES = "behavior.on.null.values";
    static final String FORMAT = "format.class";
    static final String PARTITIONER = "partitioner.class";
    static final String STORAGE = "storage.class";
    static final String COMPATIBILITY = "schema.compatibility";

    static final String IGNORE = "ignore";
    static final String FAIL = "fail";

    private static final String JSON_FORMAT = "io.confluent.connect.s3.format.json.JsonFormat";
    private static final String DEFAULT_PARTITIONER = "io.confluent.connect.storage.partitioner.DefaultPartitioner";
    private static final String S3_STORAGE = "io.confluent.connect.s3.storage.S3Storage";
    private static final String NO_COMPATIBILITY = "NONE";

    private static final String A_SPAN = "give a positive number of milliseconds, or -1 for none.";
    private static final long MIB = 1L << 20;

    static final ConfigDef DEF = new ConfigDef()
        .define(BUCKET, Type.STRING, ConfigDef.NO_DEFAULT_VALUE,
            text(s -> s.matches("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
                "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at either end."),
            Importance.HIGH, "The bucket. It is waited for where it does not exist.")
        .define(REGION, Type.STRING, "us-east-1", text(s -> !s.isBlank(), "name the bucket's region, such as us-east-1."),
            Importance.MEDIUM, "The bucket's region.")
        .define(STORE_URL, Type.STRING, null,
            text(S3SinkConfig::isHttpUrl, "give S3's address as http://host:port or https://host; leave it out for AWS."),
            Importance.MEDIUM, "S3's address, where it is not AWS.")
        .define(PATH_STYLE, Type.BOOLEAN, true, Importance.LOW, "Name the bucket in the path, and not in the host name.")
        .define(ACCESS_KEY_ID, Type.STRING, null, Importance.MEDIUM, "Access key; without one, the AWS SDK's default provider chain.")
        .define(SECRET_ACCESS_KEY, Type.PASSWORD, null, Importance.MEDIUM, "Secret of the access key.")
        .define(RETRY_BACKOFF, Type.LONG, 200L, number(n -> n >= 1, "give at least 1 millisecond."),
            Importance.LOW, "Pause after the first failed request, ms; it doubles with each further one, up to 5 seconds.")
        .define(TOPICS_DIR, Type.STRING, "topics",
            text(s -> s.matches("[^/]+(/[^/]+)*"), "give a path without a slash at its ends, such as topics."),
            Importance.LOW, "Prefix of every object.")
        .define(FLUSH_SIZE, Type.INT, ConfigDef.NO_DEFAULT_VALUE,
            number(n -> n >= 1, "an object holds one record or more, so give at least 1."),
            Importance.HIGH, "Most records in an object.")
        .define(FLUSH_BYTES, Type.LONG, 8 * MIB,
            number(n -> n >= 1 && n <= 1024 * MIB, "give 1 to 1073741824 bytes, for an object is made in memory."),
            Importance.MEDIUM, "Most bytes in an object; a larger record has one to itself.")
        .define(BUFFER_BYTES, Type.LONG, 32 * MIB, number(n -> n >= 1, "give at least 1 byte."),
            Importance.MEDIUM, "Most bytes that one task holds for all its partitions; beyond, it uploads the largest object.")
        .define(ROTATE_INTERVAL, Type.LONG, -1L, number(n -> n == -1 || n >= 1, A_SPAN),
            Importance.HIGH, "Span of record time in an object, ms; an object that gets no record for as long is uploaded too. -1: none.")
        .define(ROTATE_SCHEDULE_INTERVAL, Type.LONG, -1L, number(n -> n == -1 || n >= 1, A_SPAN),
            Importance.MEDIUM, "Wall clock time after which an object is uploaded, ms. -1: none.")
        .define(LAKE_CHECK_INTERVAL, Type.LONG, 30_000L, number(n -> n == -1 || n >= 1, A_SPAN),
            Importance.MEDIUM, "How often to check that the lake still holds what it held, ms. -1: never; a bucket with expiry needs that.")
        .define(NULL_VALUES, Type.STRING, IGNORE, oneOf(IGNORE, FAIL),
            Importance.LOW, "A record without a value: ignore it, or fail the task.")
        .define(FORMAT, Type.STRING, JSON_FORMAT, oneOf(JSON_FORMAT),
            Importance.LOW, "One JSON value a line is what this connector writes.")
        .define(PARTITIONER, Type.STRING, DEFAULT_PARTITIONER, oneOf(DEFAULT_PARTITIONER),
            Importance.LOW, "Kafka's own partitions are what this connector writes.")
        .define(STORAGE, Type.STRING, S3_STORAGE, oneOf(S3_STORAGE), Importance.LOW, "S3 is what this connector writes to.")
        .define(COMPATIBILITY, Type.STRING, NO_COMPATIBILITY, oneOf(NO_COMPATIBILITY),
            Importance.LOW, "JSON lines have no schema to compare.");

    S3SinkConfig(Map<String, String> properties) {
        super(DEF, properties);
    }

    String bucket() {
        return getString(BUCKET);
    }

    String region() {
        return getString(REGION);
    }

    Optional<String> storeUrl() {
        return Optional.ofNullable(getString(STORE_URL));
    }

    boolean pathStyle() {
        return getBoolean(PATH_STYLE);
    }

    /** Nothing stands for the AWS SDK's default provider chain. */
    Optional<String> accessKeyId() {
        return Optional.ofNullable(getString(ACCESS_KEY_ID)).filter(id -> !id.isBlank());
    }

    String secretAccessKey() {
        return getPassword(SECRET_ACCESS_KEY).value();
    }

    long retryBackoffMs() {
        return getLong(RETRY_BACKOFF);
    }

    String topicsDir() {
        return getString(TOPICS_DIR);
    }

    RotationPolicy rotation() {
        return new RotationPolicy(getInt(FLUSH_SIZE), getLong(FLUSH_BYTES), getLong(ROTATE_INTERVAL), getLong(ROTATE_SCHEDULE_INTERVAL));
    }

    long bufferBytes() {
        return getLong(BUFFER_BYTES);
    }

    /** Milliseconds, or nothing where the lake is never looked at again. */
    Optional<Long> lakeCheckMs() {
        return Optional.of(getLong(LAKE_CHECK_INTERVAL)).filter(ms -> ms >= 0);
    }

    boolean failsOnNull() {
        return getString(NULL_VALUES).equals(FAIL);
    }

    private static boolean isHttpUrl(String url) {
        try {
            URI uri = new URI(url);
            return List.of("http", "https").contains(String.valueOf(uri.getScheme())) && uri.getHost() != null;
        } catch (URISyntaxException e) {
            return false;
        }
    }

    private static ConfigDef.Validator oneOf(String... values) {
        List<String> known = List.of(values);
        return text(known::contains, "this connector knows only " + String.join(" and ", known) + ".");
    }

    private static ConfigDef.Validator text(Predicate<String> allowed, String sentence) {
        return check(value -> allowed.test((String) value), sentence);
    }

    private static ConfigDef.Validator number(Predicate<Long> allowed, String sentence) {
        return check(value -> allowed.test(((Number) value).longValue()), sentence);
    }

    private static ConfigDef.Validator check(Predicate<Object> allowed, String sentence) {
        return ConfigDef.LambdaValidator.with((name, value) -> {
            if (value != null && !allowed.test(value)) {
                throw new ConfigException(name, value, sentence);
            }
        }, () -> sentence);
    }
}
